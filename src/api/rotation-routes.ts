import { Type } from "typebox";
import { checkCertificates } from "../certificate-findings.ts";
import { STATUS_OF, worstGrade } from "../finding.ts";
import { readPfx } from "../soap/certificate.ts";
import { ROTATION_STATES } from "../store/registry.ts";
import type { Auditor } from "./audit.ts";
import { PFX_BODY_BYTES, readBase64 } from "./base64.ts";
import { Findings } from "./deed-schemas.ts";
import type { ApiDeps } from "./deps.ts";
import { mustFind, Refusal } from "./refusal.ts";
import { EntityName, PfxUpload } from "./registry-schemas.ts";
import { defineRoute, defineSilentRoute, type Route } from "./route.ts";
import { exactly, Id, Instant, listOf, named, nullable } from "./schemas.ts";

const Text = Type.String();

const RotationList = listOf(
  named(
    "Rotation",
    exactly({
      municipality: Text,
      nextId: Id,
      previousId: nullable(Id),
      state: Type.Enum([...ROTATION_STATES]),
      detail: nullable(Type.String({ description: "why the earlier one signs again" })),
      stagedAt: Instant,
      startedAt: nullable(Instant),
      validFrom: nullable(Instant),
    }),
  ),
);

const NextCertificate = named(
  "NextCertificate",
  exactly({
    pfx: PfxUpload.properties.pfx,
    password: PfxUpload.properties.password,
    alias: PfxUpload.properties.alias,
    dryRun: Type.Optional(Type.Boolean({ description: "true: it is checked and tried, and not kept" })),
  }),
);

const StagedNext = named(
  "StagedNext",
  exactly({
    municipality: Text,
    subject: Text,
    fingerprint: Text,
    validFrom: Instant,
    validTo: Instant,
    tried: Type.String({ description: "what was tried with it, in words" }),
    state: Type.Enum(["checked", "signing", "staged"], {
      description: "checked: not kept. signing: from now on. staged: used by itself once it is valid",
    }),
  }),
);

/** From one certificate to the next, and whether what is there can sign. */
export function rotationRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, clock, deeds } = deps;
  const findMunicipality = async (name: string) => mustFind(await store.findMunicipality(name), `municipality ${name}`);

  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/certificates/check",
      tag: "certificates",
      summary: "look at certificates: files, key, dates, chain, and a test signature; id: only at that one",
      access: "operator",
      query: exactly({ id: Type.Optional(Id) }),
      answer: Findings,
      handle: async ({ query: { id } }) => {
        const all = await store.listCertificates();
        const wanted =
          id === undefined
            ? all
            : [
                mustFind(
                  all.find((one) => one.id === id),
                  `certificate ${id}`,
                ),
              ];
        const findings = await checkCertificates(wanted, await store.listMunicipalities(), clock.now());
        return { status: STATUS_OF[worstGrade(findings)], findings };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/rotations",
      tag: "certificates",
      summary: "the municipalities that are on their way from one certificate to the next",
      access: "viewer",
      answer: RotationList,
      handle: async () => {
        const [rotations, municipalities, certificates] = await Promise.all([
          store.listRotations(),
          store.listMunicipalities(),
          store.listCertificates(),
        ]);
        return rotations.map(({ municipalityId, ...rotation }) => ({
          municipality: municipalities.find(({ id }) => id === municipalityId)?.name ?? "",
          ...rotation,
          validFrom: certificates.find(({ id }) => id === rotation.nextId)?.validFrom ?? null,
        }));
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/municipalities/{name}/rotation",
      tag: "certificates",
      summary:
        "stage the next certificate: checked, tried with a message that is not sent, used from its first valid moment",
      access: "admin",
      params: EntityName,
      body: NextCertificate,
      maxBodyBytes: PFX_BODY_BYTES,
      answer: StagedNext,
      handle: async ({ params, body, caller, wait }) => {
        const municipality = await findMunicipality(params.name);
        const contents = readPfx(readBase64("pfx", body.pfx), body.password, clock.now(), true);
        // A WSDL may have to be fetched for the message that is tried.
        wait(90);
        const options = { municipality, alias: body.alias ?? null, dryRun: body.dryRun ?? false };
        const { tried, state } = await (await deeds()).stageCertificate(contents, options, (detail, run) =>
          auditor.around(caller, { what: "certificate rotate", detail }, run),
        );
        deps.onDue();
        const { subject, fingerprint, validFrom, validTo } = contents;
        return { municipality: municipality.name, subject, fingerprint, validFrom, validTo, tried, state };
      },
    }),
    defineSilentRoute({
      method: "DELETE",
      path: "/api/v1/municipalities/{name}/rotation",
      tag: "certificates",
      summary: "forget the rotation; what signs now goes on signing",
      access: "admin",
      params: EntityName,
      handle: async ({ params, caller }) => {
        const { id, name } = await findMunicipality(params.name);
        const deed = { what: "certificate rotate" as const, detail: `${name}: forgotten` };
        const forgotten = await auditor.around(caller, deed, () => store.cancelRotation(id));
        if (!forgotten) throw new Refusal(404, "not-found", `nothing is being rotated for ${name}`);
      },
    }),
  ];
}
