import { SignedXml } from "xml-crypto";
import type { SignatureProfile } from "../store/registry.ts";
import { parseDocument } from "./mossos-document.ts";
import { SoapFault } from "./mossos-fault.ts";
import { checkRequest, type RequestContent } from "./mossos-schema.ts";
import { checkSecurity, type SecurityPolicy } from "./mossos-security.ts";

export interface VerifyPolicy extends SecurityPolicy {
  /** Also puts the whole document, pictures and all, through xml-crypto; some ten times slower. */
  verifyWhole: boolean;
}

export interface VerifiedRequest extends RequestContent {
  profile: SignatureProfile;
  signatureValue: string;
  createdAt: Date;
  certificateSubject: string;
  certificateFingerprint: string;
}

/**
 * Everything a strict server would say about one POST, save whether it is a replay. Written without the sender's code.
 * @param headers names in lower case. @throws SoapFault
 */
export function verifyRequest(
  body: Buffer,
  headers: ReadonlyMap<string, string>,
  policy: VerifyPolicy,
): VerifiedRequest {
  const contentType = headers.get("content-type") ?? "";
  const [media = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  if (media !== "text/xml") throw new SoapFault("client", `content type is ${media || "missing"}, not text/xml`);
  const charset = parameters
    .find((part) => part.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (charset !== undefined && charset !== "utf-8") throw new SoapFault("client", `charset is ${charset}, not utf-8`);
  if (!headers.has("soapaction")) throw new SoapFault("client", "the SOAPAction header is missing");
  const document = parseDocument(body, policy.verifyWhole);
  const security = checkSecurity(document, policy);
  if (policy.verifyWhole) verifyWithLibrary(body.toString("utf8"), security.signature, security.certificate.toString());
  return {
    ...checkRequest(document, security.body),
    profile: security.profile,
    signatureValue: security.signatureValue,
    createdAt: security.createdAt,
    certificateSubject: security.certificate.subject.replaceAll("\n", ", "),
    certificateFingerprint: security.certificate.fingerprint256,
  };
}

/** xml-crypto's own way from text to verdict: its parser, its references, its digests. */
function verifyWithLibrary(xml: string, signature: Element, certificatePem: string): void {
  const verifier = new SignedXml({ idMode: "wssecurity", publicCert: certificatePem });
  try {
    verifier.loadSignature(signature);
    if (verifier.checkSignature(xml) && verifier.getSignedReferences().length === 2) return;
  } catch (cause) {
    throw Object.assign(new SoapFault("failed-check", "the whole document does not verify"), { cause });
  }
  throw new SoapFault("failed-check", "the whole document does not verify");
}
