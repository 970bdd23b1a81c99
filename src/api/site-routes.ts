import { Type } from "typebox";
import { AppError } from "../errors.ts";
import { applySite, prepareSite, readCertificateInputs, type SiteDeps } from "../site/apply.ts";
import { buildSite } from "../site/export.ts";
import { parseSite, recordKey, type SiteFile } from "../site/file.ts";
import { buildSiteSchema } from "../site/schema.ts";
import { type Endpoint, endpointDefaults, listRegistered } from "../store/registry.ts";
import type { Auditor } from "./audit.ts";
import type { ApiDeps } from "./deps.ts";
import { invalid } from "./refusal.ts";
import { defineMediaRoute, defineRoute, type Route } from "./route.ts";
import { exactly, listOf, named, nullable } from "./schemas.ts";

/** As large as the file may be that the command takes. */
const SITE_BYTES = 2 * 1024 * 1024;
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });

const SiteChange = named(
  "SiteChange",
  exactly({
    site: Type.Unsafe<unknown>({ type: "object", description: "a site, as GET /api/v1/site/schema describes it" }),
    prune: Type.Optional(Type.Boolean({ description: "true: what its sections do not name is removed" })),
    dryRun: Type.Optional(Type.Boolean({ description: "true: only say what would be done" })),
  }),
);

const SitePlanned = named(
  "SitePlanned",
  exactly({
    applied: Type.Boolean(),
    unchanged: Count,
    steps: listOf(
      exactly({
        action: Type.Enum(["add", "change", "remove"]),
        noun: Type.Enum(["endpoint", "certificate", "municipality", "camera"]),
        name: Text,
        fields: listOf(exactly({ field: Text, before: nullable(Text), after: nullable(Text) })),
      }),
    ),
  }),
);

/** Everything registered at once, as `tattile export` writes and `tattile apply` reads it. */
export function siteRoutes(deps: ApiDeps, auditor: Auditor): readonly Route[] {
  const { store, config, clock } = deps;
  const siteDeps: SiteDeps = {
    store,
    certsDir: config.certsDir,
    defaults: endpointDefaults(config),
    now: clock.now,
    askPassword: () => Promise.reject(new AppError("invalid", "a certificate's file cannot be named here")),
  };

  return [
    defineMediaRoute({
      method: "GET",
      path: "/api/v1/site",
      tag: "site",
      summary: "everything registered, as POST /api/v1/site takes it; no secret is in it",
      access: "admin",
      media: "application/json",
      handle: async () => {
        return Response.json(buildSite(await listRegistered(store)));
      },
    }),
    defineMediaRoute({
      method: "GET",
      path: "/api/v1/site/schema",
      tag: "site",
      summary: "the JSON Schema of a site",
      access: "viewer",
      media: "application/json",
      handle: async () => Response.json(buildSiteSchema()),
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/site",
      tag: "site",
      summary:
        "bring everything registered to what a site says: all of it, or nothing. Certificates are named by fingerprint",
      access: "admin",
      body: SiteChange,
      maxBodyBytes: SITE_BYTES,
      answer: SitePlanned,
      handle: async ({ body, caller }) => {
        const file = withoutKeyFiles(parseSite(body.site, config.dataDir));
        requireNoOtherFiles(file, await store.listEndpoints());
        const options = { prune: body.prune ?? false };
        const prepared = await prepareSite(file, await readCertificateInputs(file), options, siteDeps);
        const { steps, unchanged } = prepared.plan;
        const applied = steps.length > 0 && body.dryRun !== true;
        if (applied) {
          const detail = `${steps.length} records${options.prune ? ", with removal of what is not named" : ""}`;
          await auditor.around(caller, { what: "registry apply", detail }, () => applySite(prepared, siteDeps));
          deps.onDue();
        }
        return { applied, unchanged, steps };
      },
    }),
  ];
}

/** Nobody may name a file of this machine from elsewhere: a certificate is one that is here, or comes by POST /api/v1/certificates. */
function withoutKeyFiles(file: SiteFile): SiteFile {
  if (file.certificates === undefined) return file;
  return {
    ...file,
    certificates: file.certificates.map(({ name, fingerprint }) => ({
      name,
      ...(fingerprint === undefined ? {} : { fingerprint }),
    })),
  };
}

/** The same for what an endpoint is read from: a site that was exported here names the files that are set already, and no others. */
function requireNoOtherFiles(file: SiteFile, stored: readonly Endpoint[]): void {
  for (const { name, ca, wsdl } of file.endpoints ?? []) {
    const known = stored.find((one) => recordKey("endpoints", one.name) === recordKey("endpoints", name));
    const others: readonly (readonly [
      field: string,
      path: string | null | undefined,
      set: string | null | undefined,
    ])[] = [
      ["ca", ca, known?.caPath],
      ["wsdl", wsdl != null && /^https?:/i.test(wsdl) ? null : wsdl, known?.wsdl],
    ];
    for (const [field, path, set] of others) {
      if (path == null || path === set) continue;
      throw invalid(
        `endpoint ${name}: ${field} names a file of the machine that is not set there`,
        "Set it on the machine: tattile endpoint set, or tattile apply.",
      );
    }
  }
}
