import type { X509Certificate } from "node:crypto";
import { SignedXml } from "xml-crypto";

/** Whether a whole message verifies with this certificate: both digests and the signature, as the far side looks at them. */
export function verifyEnvelope(xml: string, certificate: X509Certificate): boolean {
  const signature = /<ds:Signature [\s\S]*<\/ds:Signature>/.exec(xml)?.[0];
  if (signature === undefined) return false;
  const verifier = new SignedXml({ idMode: "wssecurity", publicCert: certificate.toString() });
  try {
    verifier.loadSignature(signature);
    return verifier.checkSignature(xml) && verifier.getSignedReferences().length === 2;
  } catch {
    return false;
  }
}
