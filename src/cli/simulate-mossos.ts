import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, systemCode } from "../errors.ts";
import { createLog } from "../log.ts";
import type { SignatureProfile } from "../store/registry.ts";
import { defineTattileCommand } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { waitForSignal } from "./signals.ts";
import { parseWhole } from "./values.ts";

/** Password of the throw-away PFX files: printed, and of no worth. */
const THROWAWAY_PASSWORD = "tattile";

export const simulateMossosCommand = defineTattileCommand({
  name: "simulate mossos",
  summary: "play the police: check every message strictly, and answer as told",
  notes: [
    "Makes an authority, a server certificate and a client.pfx for the municipality in DIR, unless they are given.",
    'Rules are a JSON array, the first that applies decides: [{"answer":{"kind":"status","status":503},"first":5}]. Kinds: accept, code, fault, status, html, empty, truncated, hang, reset, close.',
    "Records hold plates: give a file only for test readings.",
  ],
  examples: [
    "tattile simulate mossos --dir ./police",
    "tattile simulate mossos --dir ./police --port 8443 --rules slow.json --control-port 8444",
  ],
  args: {
    dir: { kind: "value", hint: "DIR", about: "folder for the throw-away certificates (default ./police)" },
    host: { kind: "value", hint: "ADDRESS", about: "address to listen on (default 127.0.0.1)" },
    port: { kind: "value", hint: "PORT", about: "port to listen on (default 8443)" },
    http: { kind: "switch", about: "plain HTTP, no TLS" },
    "tls-cert": { kind: "value", hint: "FILE", about: "server certificate of your own, PEM; with --tls-key" },
    "tls-key": { kind: "value", hint: "FILE", about: "its key, PEM" },
    ca: { kind: "value", hint: "FILE", about: "authority whose certificates may sign (any: every one)" },
    municipality: { kind: "value", hint: "NAME", about: "name in the client certificate made (default Test)" },
    profile: {
      kind: "value",
      hint: "P",
      options: ["any", "compat", "strict"],
      about: "signatures to accept (default any)",
    },
    "success-code": { kind: "value", hint: "C", about: "codiRetorn of an accepted message (default 1)" },
    rules: { kind: "value", hint: "FILE", about: "answers other than accepting, JSON" },
    "clock-offset-ms": { kind: "value", hint: "MS", about: "its clock minus this one's" },
    record: { kind: "value", hint: "FILE", about: "append what was accepted, as JSON lines" },
    "control-port": { kind: "value", hint: "PORT", about: "port to direct it by, on 127.0.0.1" },
  },
  async run(args, context) {
    const [{ startMossos }, { parseRules }] = await Promise.all([
      import("../simulator/mossos.ts"),
      import("../simulator/mossos-behaviour.ts"),
    ]);
    const { out } = context;
    const port = (flag: "port" | "control-port", otherwise: number): number => {
      const given = args[flag];
      return given === undefined ? otherwise : parseWhole(`--${flag}`, given, 0, 65_535);
    };
    const own = args["tls-cert"] !== undefined || args["tls-key"] !== undefined;
    if (own && (args["tls-cert"] === undefined || args["tls-key"] === undefined)) {
      throw new AppError("usage", "simulate mossos: --tls-cert and --tls-key go together");
    }
    const pki =
      own || args.http ? null : await openThrowaway(args.dir ?? "police", args.municipality ?? "Test", context);
    const tls = own
      ? {
          certPem: await readText("--tls-cert", args["tls-cert"]),
          keyPem: await readText("--tls-key", args["tls-key"]),
        }
      : (pki?.server ?? null);
    const givenCa = args.ca === undefined || args.ca === "any" ? null : await readText("--ca", args.ca);
    const ca = args.ca === "any" ? null : (givenCa ?? pki?.caPem ?? null);
    const mossos = await startMossos({
      host: args.host ?? "127.0.0.1",
      port: port("port", 8443),
      tls,
      trustedCa: ca === null ? null : [ca],
      profile: (args.profile as SignatureProfile | "any" | undefined) ?? "any",
      successCode: args["success-code"] ?? "1",
      rules: args.rules === undefined ? [] : parseRules(parseJson(await readText("--rules", args.rules))),
      clockOffsetMs: parseOffset(args["clock-offset-ms"]),
      recordPath: args.record === undefined ? null : resolve(args.record),
      controlPort: args["control-port"] === undefined ? null : port("control-port", 0),
      log: createLog({ level: "info", journal: false, write: (line) => out.line(line.trimEnd()), now: context.now }),
    });
    out.line(`listening: ${mossos.url} (WSDL: ${mossos.wsdlUrl})`);
    if (mossos.controlUrl !== null)
      out.line(`control: POST ${mossos.controlUrl}/_control, GET ${mossos.controlUrl}/_records`);
    if (pki !== null) {
      out.line(`register it: tattile endpoint add test ${mossos.url} --ca ${pki.caPath}`);
      out.line(
        `sign for it: echo ${THROWAWAY_PASSWORD} | tattile cert import ${pki.pfxPath} --municipality NAME --password-stdin`,
      );
    }
    await waitForSignal();
    await mossos.close();
    const { accepted, refused } = mossos.records.counts();
    out.line(`accepted ${accepted}, refused ${refused}`);
  },
});

interface Throwaway {
  caPem: string;
  caPath: string;
  pfxPath: string;
  server: { keyPem: string; certPem: string };
}

/** The certificates of `dir`, made at the first use, so that an endpoint registered once keeps working. */
async function openThrowaway(dir: string, municipality: string, context: CommandContext): Promise<Throwaway> {
  const path = (name: string): string => resolve(join(dir, name));
  const paths = { caPath: path("ca.pem"), pfxPath: path("client.pfx") };
  try {
    const [caPem, certPem, keyPem] = await Promise.all(
      ["ca.pem", "server.pem", "server-key.pem"].map((name) => readFile(path(name), "utf8")),
    );
    if (caPem !== undefined && certPem !== undefined && keyPem !== undefined) {
      return { ...paths, caPem, server: { certPem, keyPem } };
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  const { createPki } = await import("../simulator/pki.ts");
  const pki = await createPki({ now: context.now() });
  const client = await pki.issueClient({ organization: municipality });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(paths.pfxPath, client.pfx(THROWAWAY_PASSWORD), { mode: 0o600 });
  await writeFile(path("server-key.pem"), pki.server.keyPem, { mode: 0o600 });
  await writeFile(path("server.pem"), pki.server.certPem);
  await writeFile(paths.caPath, pki.caPem);
  return { ...paths, caPem: pki.caPem, server: pki.server };
}

function parseOffset(text: string | undefined): number {
  if (text === undefined) return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  return sign * parseWhole("--clock-offset-ms", text.replace(/^[+-]/, ""), 0, 86_400_000);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("usage", "reading --rules: no JSON", { cause, hint: "tattile simulate mossos --help" });
  }
}

async function readText(flag: string, path: string | undefined): Promise<string> {
  try {
    return await readFile(path ?? "", "utf8");
  } catch (cause) {
    throw new AppError("usage", `reading ${flag}: ${systemCode(cause) ?? "error"} (${path})`);
  }
}
