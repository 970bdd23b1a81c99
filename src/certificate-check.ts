import { randomUUID, type X509Certificate } from "node:crypto";
import { AppError, errorText } from "./errors.ts";
import { bad, type Finding, good, quoted, warning } from "./finding.ts";
import { type SigningIdentity, signEnvelope } from "./soap/sign.ts";
import { verifyEnvelope } from "./soap/verify.ts";
import { builtinContract } from "./soap/wsdl.ts";
import { describeX509, findLeaf, orderChain, parseCertificates, parsePrivateKey } from "./soap/x509.ts";
import { type Certificate, SIGNATURE_PROFILES } from "./store/registry.ts";

/** One of a certificate's files: its text, or in words why there is none. */
export type CertificateFile = { text: string; mode: number } | { failure: string };

export interface CertificateFiles {
  certificate: CertificateFile;
  key: CertificateFile;
}

const WARN_DAYS = 30;
const DAY_MS = 86_400_000;

/** The first moment from `now` on at which a certificate may sign. */
export function firstValidMoment({ validFrom }: Pick<Certificate, "validFrom">, now: Date): Date {
  return validFrom === null || validFrom <= now ? now : validFrom;
}

/**
 * Looks at everything that a certificate needs to sign: its files, whether the key belongs to it, its dates, its chain, and a
 * message signed and verified with it. Stops at what makes the rest pointless.
 * @param owner the municipality, for the cure; null: it signs for nobody
 */
export async function checkCertificate(
  row: Certificate,
  owner: string | null,
  files: CertificateFiles,
  now: Date,
): Promise<readonly Finding[]> {
  const check = `certificate ${row.name}${owner === null || owner === row.name ? "" : ` of ${owner}`}`;
  const again = `tattile cert import FILE.pfx --municipality ${owner === null ? "NAME" : quoted(owner)}`;
  const findings: Finding[] = [];
  if ("failure" in files.certificate) return [bad(check, `its certificate: ${files.certificate.failure}`, again)];
  if ("failure" in files.key) return [bad(check, `its key: ${files.key.failure}`, again)];
  if ((files.key.mode & 0o077) !== 0) {
    const text = `its key can be read by others (mode ${(files.key.mode & 0o777).toString(8)})`;
    findings.push(warning(check, text, `chmod 600 "${row.keyPath ?? ""}"`));
  }
  let identity: SigningIdentity;
  let leaf: X509Certificate;
  let chain: readonly X509Certificate[];
  try {
    const all = parseCertificates(files.certificate.text, "reading it");
    const privateKey = parsePrivateKey(files.key.text, "reading its key");
    const found = findLeaf(all, privateKey);
    if (found === undefined) return [...findings, bad(check, "its key belongs to another certificate", again)];
    leaf = found;
    chain = orderChain(leaf, all);
    identity = { ...describeX509(leaf), privateKey, leafDerBase64: leaf.raw.toString("base64") };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [...findings, bad(check, errorText(error), error.hint ?? again)];
  }
  if (row.fingerprint !== null && row.fingerprint !== identity.fingerprint) {
    findings.push(warning(check, "its file holds another certificate than was imported", again));
  }
  const days = Math.floor((identity.validTo.getTime() - now.getTime()) / DAY_MS);
  const end = identity.validTo.toISOString().slice(0, 10);
  if (now > identity.validTo) findings.push(bad(check, `ran out on ${end}`, again));
  else if (now < identity.validFrom) {
    const text = `not valid before ${identity.validFrom.toISOString().slice(0, 16).replace("T", " ")} UTC`;
    findings.push(bad(check, text, "wait until then, or check this clock: timedatectl"));
  } else if (days < WARN_DAYS) findings.push(warning(check, `${days} days left, until ${end}`, again));
  findings.push(...checkChain(check, leaf, chain, now, again));
  for (const profile of SIGNATURE_PROFILES) {
    if (!(await signsAndVerifies(identity, leaf, profile, now))) {
      findings.push(bad(check, `a message signed with it (${profile}) does not verify`, again));
    }
  }
  if (findings.length > 0) return findings;
  return [good(check, `key fits, ${describeChain(leaf, chain)}, ${days} days left, a test signature verifies`)];
}

/** The far side gets the leaf alone; what stands beside it must still be of its family, or the wrong file was given. */
function checkChain(
  check: string,
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  now: Date,
  again: string,
): readonly Finding[] {
  let current = leaf;
  const findings: Finding[] = [];
  for (const issuer of chain) {
    if (!current.checkIssued(issuer)) {
      findings.push(warning(check, `its file holds ${nameOf(issuer)}, which did not issue it`, again));
      break;
    }
    if (!current.verify(issuer.publicKey)) {
      findings.push(bad(check, `it was not signed by ${nameOf(issuer)}, which it names`, again));
      break;
    }
    if (now > new Date(issuer.validTo)) {
      findings.push(
        warning(check, `its issuer ${nameOf(issuer)} ran out on ${issuer.validTo}`, "ask the issuer for a new one"),
      );
    }
    current = issuer;
  }
  return findings;
}

function describeChain(leaf: X509Certificate, chain: readonly X509Certificate[]): string {
  const last = chain.at(-1) ?? leaf;
  if (last.checkIssued(last)) return chain.length === 0 ? "self-signed" : `chain up to ${nameOf(last)}`;
  return `issued by ${/CN=([^\n]+)/.exec(last.issuer)?.[1] ?? last.issuer.replaceAll("\n", ", ")}`;
}

function nameOf(certificate: X509Certificate): string {
  return /CN=([^\n]+)/.exec(certificate.subject)?.[1] ?? certificate.subject.replaceAll("\n", ", ");
}

/** A made-up message of one byte: no plate, no picture. */
async function signsAndVerifies(
  identity: SigningIdentity,
  leaf: X509Certificate,
  profile: (typeof SIGNATURE_PROFILES)[number],
  now: Date,
): Promise<boolean> {
  const envelope = await signEnvelope({
    contract: builtinContract,
    fields: { codiLector: "0", matricula: "TEST", dataLectura: "2026-01-01", horaLectura: "00:00:00" },
    ocrImage: new Uint8Array([0]),
    ctxImage: null,
    identity,
    profile,
    createdAt: now,
    randomId: randomUUID,
  });
  return verifyEnvelope(Buffer.concat([...envelope.parts]).toString("utf8"), leaf);
}
