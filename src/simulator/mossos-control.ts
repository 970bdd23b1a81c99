import { AppError, errorText } from "../errors.ts";
import { type HttpExchange, startHttpServer } from "./http-server.ts";
import type { MossosServer } from "./mossos.ts";
import { parseRules } from "./mossos-behaviour.ts";

const MAX_CONTROL_BYTES = 1024 * 1024;
const JSON_TYPE = { "content-type": "application/json" };

/**
 * The port through which another process directs the simulated police; on 127.0.0.1 only.
 * `POST /_control` `{"rules": [...], "clockOffsetMs": 0, "down": {"forMs": 2000} | true | false, "clear": true}`, each optional;
 * `GET /_records?after=N` accepted records numbered above N, refusals, and counts of all.
 * @throws AppError `unavailable` when the port is taken.
 */
export async function startControl(
  mossos: Omit<MossosServer, "controlUrl" | "close">,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const handle = async (exchange: HttpExchange): Promise<void> => {
    const body = await exchange.readBody();
    const url = new URL(exchange.target, "http://127.0.0.1");
    const answer = (status: number, value: unknown): void => {
      exchange.respond(status, JSON_TYPE, `${JSON.stringify(value)}\n`);
    };
    try {
      if (exchange.method === "POST" && url.pathname === "/_control") {
        await direct(mossos, JSON.parse(body.toString("utf8")));
        answer(200, { ok: true });
      } else if (exchange.method === "GET" && url.pathname === "/_records") {
        const after = Number(url.searchParams.get("after") ?? "0");
        const accepted = mossos.records.accepted().filter((record) => record.number > after);
        answer(200, { counts: mossos.records.counts(), accepted, refused: mossos.records.refused() });
      } else {
        answer(404, { error: "POST /_control or GET /_records" });
      }
    } catch (error) {
      answer(400, { error: errorText(error) });
    }
  };
  const server = await startHttpServer({
    host: "127.0.0.1",
    port,
    tls: null,
    maxBodyBytes: MAX_CONTROL_BYTES,
    handle,
  });
  return { url: `http://127.0.0.1:${server.port}`, close: () => server.close() };
}

async function direct(mossos: Omit<MossosServer, "controlUrl" | "close">, order: unknown): Promise<void> {
  if (typeof order !== "object" || order === null) {
    throw new AppError("usage", "directing the police: the body must be a JSON object");
  }
  const { rules, clockOffsetMs, down, clear, ...unknown }: Record<string, unknown> = { ...order };
  const stranger = Object.keys(unknown)[0];
  if (stranger !== undefined) {
    throw new AppError(
      "usage",
      `directing the police: ${stranger} is unknown, allowed: rules, clockOffsetMs, down, clear`,
    );
  }
  const parsed = rules === undefined ? null : parseRules(rules);
  if (clockOffsetMs !== undefined && typeof clockOffsetMs !== "number") {
    throw new AppError("usage", "directing the police: clockOffsetMs must be a number of milliseconds");
  }
  if (parsed !== null) mossos.behave(...parsed);
  if (clockOffsetMs !== undefined) mossos.setClockOffset(clockOffsetMs);
  if (clear === true) mossos.records.clear();
  if (down === true) await mossos.goDown();
  else if (down === false) await mossos.comeBack();
  else if (typeof down === "object" && down !== null && "forMs" in down && typeof down.forMs === "number") {
    await mossos.goDown(down.forMs);
  } else if (down !== undefined) {
    throw new AppError("usage", 'directing the police: down must be true, false or {"forMs": milliseconds}');
  }
}
