/**
 * An adapter like prometheus-adapter and KEDA, between a server's /metrics and the autoscaler: it serves
 * external.metrics.k8s.io, and reads every number from the server when it is asked.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";

const GROUP = "/apis/external.metrics.k8s.io/v1beta1";
const [folder, host, port] = process.argv.slice(2);

/** The value of a metric without labels; undefined while the server has none. */
async function reading(name: string): Promise<number | undefined> {
  const { url, token } = JSON.parse(readFileSync(join(folder, "server.json"), "utf8")) as {
    url: string;
    token: string;
  };
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const line = (await response.text()).split("\n").find((text) => text.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(" ")[1]);
}

createServer(
  { key: readFileSync(join(folder, "pki/adapter.key")), cert: readFileSync(join(folder, "pki/adapter.crt")) },
  async (request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const path = new URL(request.url ?? "/", "https://adapter").pathname;
    const [, namespace, metric] = /^.*\/namespaces\/([^/]+)\/(isobatch_\w+)$/.exec(path) ?? [];
    try {
      if (path === GROUP) {
        return answer(200, {
          kind: "APIResourceList",
          apiVersion: "v1",
          groupVersion: "external.metrics.k8s.io/v1beta1",
          resources: [
            {
              name: "isobatch_workers_advised",
              singularName: "",
              namespaced: true,
              kind: "ExternalMetricValueList",
              verbs: ["get"],
            },
          ],
        });
      }
      if (namespace === undefined)
        return answer(404, { kind: "Status", apiVersion: "v1", status: "Failure", code: 404 });
      const value = await reading(metric);
      const timestamp = new Date().toISOString();
      console.log(`${metric} is ${value}`);
      answer(200, {
        kind: "ExternalMetricValueList",
        apiVersion: "external.metrics.k8s.io/v1beta1",
        metadata: {},
        items: value === undefined ? [] : [{ metricName: metric, metricLabels: {}, timestamp, value: String(value) }],
      });
    } catch (error) {
      console.log(`${metric}: ${error}`);
      answer(503, { kind: "Status", apiVersion: "v1", status: "Failure", code: 503, message: String(error) });
    }
  },
).listen(Number(port), host);
