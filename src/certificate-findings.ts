import { checkCertificate } from "./certificate-check.ts";
import { readCertificateFiles } from "./doctor-system.ts";
import type { Finding } from "./finding.ts";
import type { Certificate, Municipality } from "./store/registry.ts";

/** Looks at certificates: files, key, dates, chain, and a test signature. What signs for nobody is never worse than a warning. */
export async function checkCertificates(
  certificates: readonly Certificate[],
  municipalities: readonly Municipality[],
  now: Date,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const certificate of certificates) {
    const owner = municipalities.find(({ certificateId }) => certificateId === certificate.id)?.name ?? null;
    const found = await checkCertificate(certificate, owner, await readCertificateFiles(certificate), now);
    findings.push(...(owner === null ? found.map((one) => asUnused(one, certificate.id)) : found));
  }
  return findings;
}

/** What signs for nobody stops nothing. */
function asUnused(finding: Finding, id: number): Finding {
  const check = `${finding.check} (id ${id}, not in use)`;
  if (finding.grade !== "bad") return { ...finding, check };
  return {
    ...finding,
    check,
    grade: "warning",
    cure: `${finding.cure ?? ""}; or remove it: tattile cert remove ${id}`,
  };
}
