import { appendFileSync, chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Fault, IllSite } from "./ill-site.ts";

/** What can be wrong with certificates, and with who signs for whom. */
export function signingFaults(ill: IllSite): Record<string, Fault> {
  const { file, must, replaced } = ill;
  return {
    "the key belongs to another certificate": {
      plant: () => ({ undo: replaced(ill.paths.key, ill.pki.issue({ subject: "/CN=x", issuer: null }).key) }),
      finds: { check: "certificate Vila", grade: "bad", text: /belongs to another certificate/, cure: /cert import/ },
    },
    "the key's file is gone": {
      plant: () => {
        const before = readFileSync(ill.paths.key);
        rmSync(ill.paths.key);
        return { undo: () => writeFileSync(ill.paths.key, before, { mode: 0o600 }) };
      },
      finds: { check: "certificate Vila", grade: "bad", text: /its key: ENOENT/, cure: /cert import/ },
    },
    "the key can be read by others": {
      plant: () => {
        chmodSync(ill.paths.key, 0o644);
        return { undo: () => chmodSync(ill.paths.key, 0o600) };
      },
      finds: { check: "certificate Vila", grade: "warning", text: /read by others \(mode 644\)/, cure: /chmod 600/ },
    },
    "the certificate has run out": {
      plant: () => {
        const old = ill.pki.issue({ subject: "/CN=x", days: -1, issuer: null });
        const undo = [replaced(ill.paths.key, old.key), replaced(ill.paths.certificate, old.cert)];
        return { undo: () => undo.map((one) => one()) };
      },
      finds: { check: "certificate Vila", grade: "bad", text: /ran out on/, cure: /cert import/ },
    },
    "the certificate runs out within days": {
      plant: () => {
        const short = ill.pki.issue({ subject: "/CN=x", days: 6, issuer: null });
        const undo = [replaced(ill.paths.key, short.key), replaced(ill.paths.certificate, short.cert)];
        return { undo: () => undo.map((one) => one()) };
      },
      finds: { check: "certificate Vila", grade: "warning", text: /[56] days left/, cure: /cert import/ },
    },
    "a foreign certificate stands in the chain": {
      plant: () => {
        const before = readFileSync(ill.paths.certificate);
        appendFileSync(
          ill.paths.certificate,
          ill.pki.issue({ subject: "/CN=Stranger", authority: true, issuer: null }).cert,
        );
        return { undo: () => writeFileSync(ill.paths.certificate, before) };
      },
      finds: {
        check: "certificate Vila",
        grade: "warning",
        text: /Stranger, which did not issue it/,
        cure: /cert import/,
      },
    },
    "the municipality has no certificate": {
      plant: async () => {
        const certificate = async (name: string): Promise<void> => {
          const municipality = `{ name: Vila, certificate: ${name} }`;
          writeFileSync(file("ill.site.yaml"), `version: 1\nmunicipalities: [${municipality}]\n`);
          await must("apply", file("ill.site.yaml"), "--yes");
        };
        await certificate("null");
        return { undo: () => certificate("Vila") };
      },
      finds: {
        check: "municipality Vila",
        grade: "bad",
        text: /no certificate/,
        cure: /cert import FILE.pfx --municipality Vila/,
      },
    },
    "the readings have no endpoint": {
      plant: async () => {
        await must("municipality", "set", "Vila", "--endpoint", "none");
        return { undo: () => must("municipality", "set", "Vila", "--endpoint", "police") };
      },
      finds: {
        check: "municipality Vila",
        grade: "bad",
        text: /no endpoint/,
        cure: /municipality set Vila --endpoint NAME/,
      },
    },
  };
}
