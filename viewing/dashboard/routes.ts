import type { IncomingMessage, ServerResponse } from "node:http";
import { IsobatchError } from "../../shared/errors.js";
import type { ControlRequest } from "../../shared/wire/index.js";
import type { Guard } from "./access/index.js";
import type { Assets } from "./assets.js";
import { readBody, redirect, respond, respondJson, respondText } from "./http.js";
import type { Streams } from "./live/index.js";
import type { RunMetrics } from "./metrics/index.js";
import { loginPage, runPage } from "./pages.js";
import type { DashboardSource } from "./source.js";
import type { SessionView } from "./view/live.js";

export interface RoutesOptions {
  readonly source: DashboardSource;
  readonly streams: Streams;
  readonly metrics: RunMetrics;
  readonly assets: Assets;
  readonly guard: Guard;
  joinCommand(): string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

interface Route {
  readonly access: "open" | "read" | "session" | "act";
  readonly handler: Handler;
}

const LOGIN_BYTES_MAX = 8 * 1024;
const CONTROL_BYTES_MAX = 4 * 1024;
const HTML = "text/html; charset=utf-8";

/** @returns what answers every request to the listener */
export function createRoutes(
  options: RoutesOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { source, streams, metrics, assets, guard } = options;

  const page: Handler = (request, response) => {
    const canAct = guard.identify(request)?.mayAct ?? false;
    respond(response, 200, HTML, runPage(source, assets, canAct));
  };

  const session: Handler = (request, response) => {
    const identity = guard.identify(request);
    const mayAct = identity?.mayAct ?? false;
    const view: SessionView = {
      name: identity?.name ?? null,
      mayAct,
      joinCommand: mayAct ? options.joinCommand() : null,
    };
    respondJson(response, 200, view);
  };

  const events: Handler = (request, response) => {
    if (!streams.hasRoom) return respondText(response, 503, "Too many pages are open; close some of them.");
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const cursor = request.headers["last-event-id"];
    const isAllowed = (): boolean => guard.refusal(request, "read") === undefined;
    streams.open(response, typeof cursor === "string" ? cursor : undefined, isAllowed);
  };

  const logIn: Handler = async (request, response) => {
    const body = await readBody(request, LOGIN_BYTES_MAX);
    const token = new URLSearchParams(body ?? "").get("token")?.trim() ?? "";
    const result = guard.logIn(request, token);
    if (result.outcome === "in") return redirect(response, "/", { "set-cookie": result.cookie });
    if (result.outcome === "wrong") {
      return respond(response, 401, HTML, loginPage(source, assets, "This token does not belong to this run."));
    }
    const sentence = `Too many attempts: wait ${result.seconds} ${result.seconds === 1 ? "second" : "seconds"}.`;
    respond(response, 429, HTML, loginPage(source, assets, sentence), { "retry-after": String(result.seconds) });
  };

  const control: Handler = async (request, response) => {
    const asked = parseControl(await readBody(request, CONTROL_BYTES_MAX));
    if (asked === undefined) {
      return respondJson(response, 400, {
        error: 'The request must be JSON: {"stop": {}}, {"checkpoint": {}} or {"drain": {"workerId": "…"}}.',
      });
    }
    try {
      respondJson(response, 200, { message: source.control(asked) });
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      respondJson(response, error.code === "invalid_input" ? 400 : 409, { error: error.message });
    }
  };

  const routes: Readonly<Record<string, Route>> = {
    "GET /healthz": { access: "open", handler: (_, response) => respondText(response, 200, "alive") },
    "GET /readyz": {
      access: "open",
      handler(_, response) {
        const reason = unreadyReason(source);
        respondText(response, reason === undefined ? 200 : 503, reason ?? "ready");
      },
    },
    "GET /metrics": {
      access: "read",
      handler: async (_, response) => respond(response, 200, metrics.contentType, await metrics.text()),
    },
    "GET /": { access: "read", handler: page },
    "GET /events": { access: "read", handler: events },
    "GET /api/session": { access: "read", handler: session },
    "POST /api/control": { access: "act", handler: control },
    "GET /login": {
      access: "session",
      handler: (_, response) => respond(response, 200, HTML, loginPage(source, assets)),
    },
    "POST /login": { access: "session", handler: logIn },
    "POST /logout": {
      access: "session",
      handler: (request, response) =>
        redirect(response, guard.loopback ? "/" : "/login", { "set-cookie": guard.logOut(request) }),
    },
  };
  const methods = (path: string): string[] =>
    Object.keys(routes).flatMap((key) => (key.endsWith(` ${path}`) ? [key.split(" ")[0]] : []));

  return async (request, response) => {
    const path = request.url?.split("?")[0] ?? "/";
    const method = request.method === "HEAD" ? "GET" : request.method;
    const asset = method === "GET" ? assets.get(path) : undefined;
    if (asset !== undefined) {
      return respond(response, 200, asset.type, asset.body, { "cache-control": "public, max-age=31536000, immutable" });
    }
    const route = routes[`${method} ${path}`];
    if (route === undefined) {
      const allowed = methods(path);
      if (allowed.length === 0) return respondText(response, 404, "Not found; the dashboard is at /.");
      return respondText(response, 405, `Use ${allowed.join(" or ")} here.`, { allow: allowed.join(", ") });
    }
    const refusal = guard.refusal(request, route.access);
    if (refusal === undefined) return await route.handler(request, response);
    if (path === "/" && refusal.status === 401) return redirect(response, "/login");
    respondText(
      response,
      refusal.status,
      refusal.reason,
      refusal.status === 401 ? { "www-authenticate": 'Bearer realm="isobatch"' } : {},
    );
  };
}

/** Why the run takes no workers at the moment; undefined if it does. */
function unreadyReason(source: DashboardSource): string | undefined {
  const { phase, shards } = source.status();
  const missing = shards.findIndex(({ state }) => state !== "attached");
  if (phase === "ended") return "the run has ended";
  return missing < 0 ? undefined : `the run is waiting for shard ${missing}`;
}

/** Exactly one of the three requests; undefined for anything else. */
function parseControl(body: string | undefined): ControlRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body ?? "");
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { stop, checkpoint, drain } = value as Record<string, unknown>;
  if (Object.keys(value).length !== 1) return undefined;
  if (typeof stop === "object" && stop !== null) return { stop: {} };
  if (typeof checkpoint === "object" && checkpoint !== null) return { checkpoint: {} };
  const workerId = (drain as { workerId?: unknown } | undefined)?.workerId;
  return typeof workerId === "string" ? { drain: { workerId } } : undefined;
}
