import type { TSchema } from "typebox";
import type { Route } from "./route.ts";
import { Failure, schemaNames } from "./schemas.ts";

const DESCRIPTION =
  "Everything the command line does, for programs. Instants are ISO 8601 in UTC; durations end in Ms, sizes in Bytes. " +
  "A token is made on the machine: tattile token create NAME --role viewer|operator|admin. No plate is in any answer " +
  "but where an operator asks for it, and that is one line in the audit log.";

/** The OpenAPI 3.1 document of a table of routes. */
export function buildOpenApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const names = schemaNames();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = describe(route);
    paths[route.path] = operations;
  }
  const document = {
    openapi: "3.1.0",
    info: { title: "tattile", version, description: DESCRIPTION },
    paths,
    components: {
      schemas: Object.fromEntries([...names].map(([schema, name]) => [name, { own: schema }])),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "from `tattile token create`" },
        session: { type: "apiKey", in: "cookie", name: "tattile_session", description: "from POST /api/v1/session" },
      },
    },
  };
  return withReferences(document, names) as Record<string, unknown>;
}

function describe(route: Route): Record<string, unknown> {
  const { method, path, tag, summary, access, params, query, body, answer, status } = route;
  const parameters = [
    ...Object.entries(params?.properties ?? {}).map(([name, schema]) => ({ name, in: "path", required: true, schema })),
    ...Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
      name,
      in: "query",
      required: query?.required?.includes(name) ?? false,
      schema,
    })),
  ];
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    ...(access === "public"
      ? { security: [] }
      : { description: `Role: ${access}.`, security: [{ token: [] }, { session: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null ? {} : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: {
      [answer === null ? 204 : status]: {
        description: "done",
        ...(answer === null ? {} : { content: contentOf(answer) }),
      },
      ...Object.fromEntries(
        Object.entries(route.otherwise).map(([code, schema]) => [
          code,
          { description: "not so", content: { "application/json": { schema } } },
        ]),
      ),
      default: { description: "not done", content: { "application/json": { schema: Failure } } },
    },
  };
}

function contentOf(answer: NonNullable<Route["answer"]>): Record<string, unknown> {
  if ("media" in answer && typeof answer.media === "string") return { [answer.media]: {} };
  return { "application/json": { schema: answer } };
}

/** `getMessagesIdImagesOcr` of GET /api/v1/messages/{id}/images/ocr. */
function operationId(method: string, path: string): string {
  const words = path.replace(/^\/api\/v1\//, "").split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
}

/** The document with `$ref` where a named schema stands; `{ own }` marks the place of its definition. */
function withReferences(value: unknown, names: ReadonlyMap<TSchema, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withReferences(item, names));
  if (typeof value !== "object" || value === null) return value;
  const name = names.get(value as TSchema);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  const entries = "own" in value ? Object.entries(value.own as object) : Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withReferences(inner, names)]));
}
