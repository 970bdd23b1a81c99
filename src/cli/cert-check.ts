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
    if (wanted.length === 0 && !args.json) {
      return void out.line("No certificate yet. Import one: tattile cert import FILE.pfx --municipality NAME");
    }
    const { checkCertificates } = await import("../certificate-findings.ts");
    const findings = await checkCertificates(wanted, municipalities, context.now());
    return reportFindings(findings, args, out);
  },
});
