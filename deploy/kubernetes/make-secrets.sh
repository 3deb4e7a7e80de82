#!/bin/sh
# Makes the namespace and the two Secrets that the manifests mount: the join token, and a certificate from a CA made for
# it, whose key is not kept. Existing ones are left unchanged. Needs kubectl and openssl; arguments are passed to kubectl.
#
#   deploy/kubernetes/make-secrets.sh [--context NAME …]
set -eu
cd "$(dirname "$0")"
namespace=isobatch
kubectl "$@" apply -f base/namespace.yaml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
umask 077

if ! kubectl "$@" -n "$namespace" get secret isobatch-tls >/dev/null 2>&1; then
  names=DNS:localhost,IP:127.0.0.1
  for name in isobatch-server "isobatch-server.$namespace" "isobatch-server.$namespace.svc"; do
    names="$names,DNS:$name"
  done
  key() { openssl ecparam -genkey -name prime256v1 -noout -out "$folder/$1.key"; }
  key ca
  openssl req -x509 -new -key "$folder/ca.key" -days 3650 -subj /CN=isobatch-ca -out "$folder/ca.crt"
  key tls
  openssl req -new -key "$folder/tls.key" -subj /CN=isobatch-server -out "$folder/tls.csr"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$names" > "$folder/extensions"
  openssl x509 -req -in "$folder/tls.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial \
    -days 825 -extfile "$folder/extensions" -out "$folder/tls.crt" 2>/dev/null
  kubectl "$@" -n "$namespace" create secret generic isobatch-tls --type=kubernetes.io/tls \
    --from-file="$folder/tls.crt" --from-file="$folder/tls.key" --from-file="$folder/ca.crt"
fi
if ! kubectl "$@" -n "$namespace" get secret isobatch-join >/dev/null 2>&1; then
  # The suffix says that the server's certificate was provided by its owner.
  printf 'isobatch_%s.tls' "$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n')" > "$folder/token"
  kubectl "$@" -n "$namespace" create secret generic isobatch-join --from-file="$folder/token"
fi
