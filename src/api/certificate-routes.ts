import { Type } from "typebox";
import { removeCertificateFolder } from "../certificate-files.ts";
import { assignImported, stageImported } from "../certificate-import.ts";
import { daysUntil } from "../format.ts";
import { readPfx } from "../soap/certificate.ts";
import type { Auditor } from "./audit.ts";
import { PFX_BODY_BYTES, readBase64 } from "./base64.ts";
import type { ApiDeps } from "./deps.ts";
import { invalid, mustFind, mustRemain } from "./refusal.ts";
import { CertificateList, EntityName, PfxUpload, SavedCertificate } from "./registry-schemas.ts";
import { defineRoute, defineSilentRoute, type Route } from "./route.ts";
import { exactly, Id, nullable } from "./schemas.ts";

/** Certificates: what each municipality signs with. Keys never leave the machine. */
export function certificateRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, config, clock } = deps;

  async function list() {
    const [certificates, municipalities] = await Promise.all([store.listCertificates(), store.listMunicipalities()]);
    return certificates.map((c) => ({
      id: c.id,
      name: c.name,
      alias: c.alias,
      municipality: municipalities.find(({ id }) => id === c.municipalityId)?.name ?? null,
      inUse: municipalities.some(({ certificateId }) => certificateId === c.id),
      subject: c.subject,
      serialNumber: c.serialNumber,
      fingerprint: c.fingerprint,
      validFrom: c.validFrom,
      validTo: c.validTo,
      daysLeft: c.validTo === null ? null : daysUntil(c.validTo, clock.now()),
      active: c.active,
    }));
  }

  const findMunicipality = async (name: string) => mustFind(await store.findMunicipality(name), `municipality ${name}`);

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/certificates",
      tag: "certificates",
      summary: "the certificates with the days they have left",
      access: "viewer",
      answer: CertificateList,
      handle: list,
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/certificates",
      tag: "certificates",
      summary:
        "take a municipality's certificate from its PFX file; one that is not valid yet is staged, and used by itself once it is",
      access: "admin",
      body: PfxUpload,
      maxBodyBytes: PFX_BODY_BYTES,
      answer: SavedCertificate,
      handle: async ({ body, caller }) => {
        const municipality = await findMunicipality(body.municipality);
        const now = clock.now();
        const contents = readPfx(readBase64("pfx", body.pfx), body.password, now, true);
        const isLater = contents.validFrom > now;
        const detail = `${municipality.name}: ${contents.subject}, ${contents.fingerprint}`;
        const { certsDir } = config;
        const options = { municipality, alias: body.alias ?? null, certsDir, now };
        const what = isLater ? ("certificate rotate" as const) : ("certificate import" as const);
        const { id, result } = await auditor.around(caller, { what, detail }, async () =>
          isLater ? stageImported(contents, options, store) : assignImported(contents, options, store),
        );
        deps.onDue();
        const certificate = mustRemain((await list()).find((one) => one.id === id));
        return { result, municipality: municipality.name, certificate };
      },
    }),
    defineSilentRoute({
      method: "PUT",
      path: "/api/v1/municipalities/{name}/certificate",
      tag: "certificates",
      summary: "say with which certificate a municipality signs",
      access: "admin",
      params: EntityName,
      body: exactly({ certificateId: nullable(Id) }),
      handle: async ({ params, body: { certificateId }, caller }) => {
        const municipality = await findMunicipality(params.name);
        if (certificateId !== null && (await store.findCertificate(certificateId)) === null) {
          throw invalid(`body.certificateId is ${certificateId}`, "Give the id of a certificate that is there.");
        }
        const detail = `${municipality.name}: certificate ${certificateId ?? "none"}`;
        await auditor.around(caller, { what: "certificate assign", detail }, () =>
          store.assignCertificate(municipality.id, certificateId),
        );
        deps.onDue();
      },
    }),
    defineSilentRoute({
      method: "DELETE",
      path: "/api/v1/certificates/{id}",
      tag: "certificates",
      summary:
        "remove a certificate that no municipality uses, with its key; with force it is taken from those that do",
      access: "admin",
      params: exactly({ id: Id }),
      query: exactly({ force: Type.Optional(Type.Boolean()) }),
      handle: async ({ params: { id }, query, caller }) => {
        const certificate = mustFind(await store.findCertificate(id), `certificate ${id}`);
        const detail = `certificate ${id} (${certificate.name})`;
        await auditor.around(caller, { what: "certificate remove", detail }, () =>
          store.removeCertificate(id, query.force),
        );
        const { keyPath } = certificate;
        const shared = (await store.listCertificates()).some((one) => one.keyPath === keyPath);
        if (keyPath !== null && !shared) removeCertificateFolder(config.certsDir, keyPath);
      },
    }),
  ];
}
