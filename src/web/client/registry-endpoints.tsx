import { useState } from "preact/hooks";
import { isUnprotected } from "../../registry-values.ts";
import { address, newName, text, whole, zone } from "./checks.ts";
import { type Field, FormDialog, onlyTouched, type Values } from "./form.tsx";
import { t } from "./i18n.ts";
import { State } from "./parts.tsx";
import { type PartProps, RowButtons, usedBy } from "./registry.tsx";
import { RegisteredList } from "./registry-list.tsx";
import { ask } from "./server.ts";
import type { Endpoint, EndpointFields } from "./wire.ts";

type Editing = { kind: "add" } | { kind: "change" | "remove"; endpoint: Endpoint } | null;

export function RegisteredEndpoints(props: PartProps) {
  const { endpoints, role } = props;
  const [editing, setEditing] = useState<Editing>(null);
  const texts = t().registry;
  const isAdmin = role === "admin";
  const close = (): void => setEditing(null);
  const { municipalities, cameras } = props.status;
  const usersOf = (id: number): string[] => [
    ...municipalities.filter(({ endpointId }) => endpointId === id).map(({ name }) => name),
    ...cameras.filter(({ endpointId }) => endpointId === id).map(({ serial }) => serial),
  ];
  const rows = endpoints.map((endpoint) => [
    endpoint.name,
    <span key="url">
      {endpoint.url} {isUnprotected(endpoint.url) ? <State tone="warn">{texts.unprotected}</State> : null}
    </span>,
    endpoint.profile,
    `${endpoint.timeoutMs} ms`,
    String(endpoint.retryMax),
    ...(isAdmin
      ? [
          <RowButtons
            name={endpoint.name}
            key="buttons"
            onChange={() => setEditing({ kind: "change", endpoint })}
            onRemove={() => setEditing({ kind: "remove", endpoint })}
          />,
        ]
      : []),
  ]);
  return (
    <RegisteredList
      title={t().endpoints.title}
      none={t().endpoints.none}
      add={texts.addEndpoint}
      head={[t().endpoints.name, texts.address, texts.profile, texts.timeout, texts.retries]}
      rows={rows}
      isAdmin={isAdmin}
      onAdd={() => setEditing({ kind: "add" })}
    >
      {editing === null ? null : editing.kind === "remove" ? (
        <FormDialog
          title={texts.removing(editing.endpoint.name)}
          hindrance={usedBy(usersOf(editing.endpoint.id))}
          fields={[]}
          submit={texts.remove}
          isDanger
          onSubmit={async () => {
            const { name } = editing.endpoint;
            await ask("DELETE", `/api/v1/endpoints/${encodeURIComponent(name)}`);
            props.onRemoved(texts.removed(name));
          }}
          onClose={close}
        />
      ) : (
        <EditEndpoint {...props} endpoint={editing.kind === "add" ? null : editing.endpoint} onClose={close} />
      )}
    </RegisteredList>
  );
}

/** What a number may be is what the API says. */
const NUMBERS = [
  { name: "timeoutMs", least: 1000, most: 600_000 },
  { name: "retryMax", least: 1, most: 1000 },
  { name: "retryBackoffMs", least: 100, most: 3_600_000 },
] as const;

function EditEndpoint(props: PartProps & { endpoint: Endpoint | null; onClose(): void }) {
  const { endpoint, endpoints, onDone } = props;
  const texts = t().registry;
  const isNew = endpoint === null;
  const oldWsdl = endpoint?.wsdl ?? "";
  const fields: readonly Field[] = [
    ...(isNew
      ? [
          {
            name: "name",
            label: texts.name,
            kind: "text" as const,
            value: "",
            check: newName(
              100,
              endpoints.map(({ name }) => name),
            ),
          },
        ]
      : []),
    {
      name: "url",
      label: texts.address,
      kind: "text",
      value: endpoint?.url ?? "",
      help: texts.addressHelp,
      check: address,
    },
    ...NUMBERS.map(({ name, least, most }) => ({
      name,
      label: texts.numbers[name],
      kind: "number" as const,
      value: isNew ? "" : String(endpoint[name]),
      ...(isNew ? { help: texts.numberHelp } : {}),
      check: whole(least, most, isNew),
    })),
    {
      name: "profile",
      label: texts.profile,
      kind: "select",
      value: endpoint?.profile ?? "compat",
      help: texts.profileHelp,
      options: ["compat", "strict"].map((value) => ({ value, text: value })),
    },
    { name: "soapAction", label: "SOAPAction", kind: "text", value: endpoint?.soapAction ?? "", check: text(200) },
    {
      name: "wsdl",
      label: "WSDL",
      kind: "text",
      value: oldWsdl,
      help: texts.wsdlHelp,
      // A file of the machine stays; another one is named there.
      check: (value) =>
        value === "" || value === oldWsdl || /^https?:\/\/\S{1,1990}$/.test(value) ? null : t().form.wsdl,
    },
    {
      name: "timezone",
      label: texts.zone,
      kind: "text",
      value: endpoint?.timezone ?? "",
      help: texts.endpointZoneHelp,
      check: zone,
    },
    {
      name: "tlsClientCertificate",
      label: texts.tlsClient,
      kind: "box",
      value: endpoint?.tlsClientCertificate === true ? "yes" : "",
    },
  ];
  const save = async (values: Values, touched: ReadonlySet<string>): Promise<void> => {
    const body: EndpointFields = {
      url: values["url"] ?? "",
      profile: values["profile"] === "strict" ? "strict" : "compat",
      soapAction: values["soapAction"] || null,
      timezone: values["timezone"] || null,
      tlsClientCertificate: values["tlsClientCertificate"] === "yes",
      wsdl: values["wsdl"] || null,
    };
    for (const { name } of NUMBERS) if (values[name]) body[name] = Number(values[name]);
    const own = endpoint?.name ?? values["name"] ?? "";
    const said = isNew ? body : onlyTouched(body, touched);
    if (said !== null) await ask("PUT", `/api/v1/endpoints/${encodeURIComponent(own)}`, said);
    onDone(texts.saved(own));
  };
  return (
    <FormDialog
      title={isNew ? texts.addEndpoint : texts.changing(endpoint.name)}
      fields={fields}
      submit={texts.save}
      onSubmit={save}
      onClose={props.onClose}
    />
  );
}
