import { AppError } from "./errors.ts";

/** What the older Windows program's `Configuration.json` says. Its password is not read. */
export interface MossosWs {
  transitPort: number | null;
  /** The certificate's file name, without the folder it had on that machine. */
  pfxName: string | null;
  endpointUrl: string | null;
  cameras: readonly { serial: string; reader: string }[];
}

/**
 * Reads the older program's settings.
 * @throws AppError `invalid` naming what is missing; no value of the file is in the text but serials
 */
export function parseMossosWs(text: string, source: string): MossosWs {
  const fail = (what: string, cause?: unknown): never => {
    throw new AppError("invalid", `reading the older program's settings: ${what} (${source})`, {
      hint: "Give its Configuration.json, with Endpoint, CertPath and Camaras in it.",
      ...(cause === undefined ? {} : { cause }),
    });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // The parser's own text may repeat what is in the file, the password among it.
    return fail("it is not JSON");
  }
  const root = isRecord(parsed) ? parsed : fail("it is not an object");
  const list = root["Camaras"];
  if (!Array.isArray(list)) return fail("Camaras is not a list");
  const cameras = list.map((item: unknown, at) => {
    const camera = isRecord(item) ? item : fail(`Camaras[${at}] is not an object`);
    return {
      serial: toText(camera["SerialNumber"]) ?? fail(`Camaras[${at}] has no SerialNumber`),
      reader: toText(camera["CodigoLector"]) ?? fail(`Camaras[${at}] has no CodigoLector`),
    };
  });
  const port = Number(toText(root["PortReceiveTransit"]) ?? Number.NaN);
  return {
    transitPort: Number.isInteger(port) && port > 0 && port < 65_536 ? port : null,
    pfxName: toText(root["CertPath"])?.split(/[\\/]/).at(-1) ?? null,
    endpointUrl: toText(root["Endpoint"]),
    cameras,
  };
}

function toText(value: unknown): string | null {
  const text = typeof value === "number" || typeof value === "string" ? String(value).trim() : "";
  return text === "" ? null : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
