import type { Finding } from "../finding.ts";
import { defineTattileCommand } from "./command.ts";
import { reportFindings } from "./doctor.ts";
import { lookUpCertificate } from "./lookup.ts";
import { JSON_ARG } from "./registry-output.ts";

export const certCheckCommand = defineTattileCommand({
  name: "cert check",
  summary: "look at certificates: files, key, dates, chain, and a test signature",
  notes: [
    "Exit code as that of status: 0 all is fine, 1 something needs attention, 2 a certificate that is in use cannot sign. One that is not in use is never worse than 1.",
  ],
  examples: ["tattile cert check", 'tattile cert check "Sant Cugat" --json'],
  args: {
    cert: { kind: "positional", about: "id, alias or name (default: all)" },
    ...JSON_ARG,
  },
  async run(args, context) {
    const { out } = context;
    const store = await context.store();
    const [municipalities, all] = [await store.listMunicipalities(), await store.listCertificates()];
    const wanted = args.cert === undefined ? all : [await lookUpCertificate(store, args.cert)];
    if (wanted.length === 0) {
      return void out.line("No certificate yet. Import one: tattile cert import FILE.pfx --municipality NAME");
    }
    const [{ checkCertificate }, { readCertificateFiles }] = await Promise.all([
      import("../certificate-check.ts"),
      import("../doctor-system.ts"),
    ]);
    const findings: Finding[] = [];
    for (const certificate of wanted) {
      const owner = municipalities.find(({ certificateId }) => certificateId === certificate.id)?.name ?? null;
      const found = await checkCertificate(certificate, owner, await readCertificateFiles(certificate), context.now());
      findings.push(...(owner === null ? found.map((one) => asUnused(one, certificate.id)) : found));
    }
    return reportFindings(findings, args, out);
  },
});

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
