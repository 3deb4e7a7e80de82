import type { IncomingMessage, ServerResponse } from "node:http";

/** Small helpers for HTTP. */

/**
 * Our pages run and load nothing from elsewhere, can't be framed, and are not cached where the next user of the browser
 * finds them. The referrer policy is `same-origin` because with `no-referrer` browsers omit the Origin of forms, too.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
};

export type Headers = Readonly<Record<string, string>>;

export function respond(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers: Headers = {},
): void {
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  response.writeHead(status, { ...SECURITY_HEADERS, "content-type": type, "content-length": length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

export function respondText(response: ServerResponse, status: number, sentence: string, headers?: Headers): void {
  respond(response, status, "text/plain; charset=utf-8", `${sentence}\n`, headers);
}

export function respondJson(response: ServerResponse, status: number, value: object): void {
  respond(response, status, "application/json; charset=utf-8", JSON.stringify(value));
}

/** 303: the browser continues with a GET. */
export function redirect(response: ServerResponse, location: string, headers: Headers = {}): void {
  respondText(response, 303, `See ${location}`, { location, ...headers });
}

/** The body as text; undefined when it is longer than `bytesMax`. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > bytesMax) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** The token after "Bearer" in the Authorization header. */
export function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}
