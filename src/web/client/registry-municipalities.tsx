import { useState } from "preact/hooks";
import { newName, text } from "./checks.ts";
import { type Field, FormDialog, onlyTouched, type Values } from "./form.tsx";
import { day, t } from "./i18n.ts";
import { useAnswer } from "./live.ts";
import { State } from "./parts.tsx";
import { type PartProps, RowButtons, usedBy } from "./registry.tsx";
import { RegisteredList } from "./registry-list.tsx";
import { ask } from "./server.ts";
import type { Certificate, MunicipalityFields, Status } from "./wire.ts";

type Municipality = Status["municipalities"][number];
type Editing = { kind: "add" } | { kind: "change" | "remove"; municipality: Municipality } | null;

export function RegisteredMunicipalities(props: PartProps) {
  const { status, role, endpoints } = props;
  const [editing, setEditing] = useState<Editing>(null);
  const { value: certificates } = useAnswer<readonly Certificate[]>("/api/v1/certificates", status.certificates.length);
  const texts = t().registry;
  const { municipalities, cameras } = status;
  const isAdmin = role === "admin";
  const close = (): void => setEditing(null);
  const camerasOf = (id: number) => cameras.filter(({ municipalityId }) => municipalityId === id);
  const rows = municipalities.map((municipality) => {
    const { id, name, code, endpointId, certificateId, active } = municipality;
    const certificate = certificates?.find((one) => one.id === certificateId);
    return [
      <span key="name">
        {name}
        {code === null ? null : <span class="quiet"> {code}</span>}{" "}
        {active ? null : <State tone="plain">{texts.offMunicipality}</State>}
      </span>,
      endpoints.find((one) => one.id === endpointId)?.name ?? texts.defaultEndpoint,
      certificateId === null ? (
        <State tone="bad" key="certificate">
          {texts.noCertificate}
        </State>
      ) : (
        (certificate?.subject ?? certificate?.name ?? "–")
      ),
      String(camerasOf(id).length),
      ...(isAdmin
        ? [
            <RowButtons
              name={name}
              key="buttons"
              onChange={() => setEditing({ kind: "change", municipality })}
              onRemove={() => setEditing({ kind: "remove", municipality })}
            />,
          ]
        : []),
    ];
  });
  return (
    <RegisteredList
      title={texts.parts.municipalities}
      none={texts.noMunicipalities}
      add={texts.addMunicipality}
      head={[t().certificates.municipality, t().endpoints.name, texts.certificate, t().cameras.title]}
      rows={rows}
      isAdmin={isAdmin}
      onAdd={() => setEditing({ kind: "add" })}
    >
      {editing === null ? null : editing.kind === "remove" ? (
        <FormDialog
          title={texts.removing(editing.municipality.name)}
          hindrance={usedBy(camerasOf(editing.municipality.id).map(({ serial }) => serial))}
          fields={[]}
          submit={texts.remove}
          isDanger
          onSubmit={async () => {
            const { name } = editing.municipality;
            await ask("DELETE", `/api/v1/municipalities/${encodeURIComponent(name)}`);
            props.onRemoved(texts.removed(name));
          }}
          onClose={close}
        />
      ) : (
        <EditMunicipality
          {...props}
          municipality={editing.kind === "add" ? null : editing.municipality}
          certificates={certificates ?? []}
          onClose={close}
        />
      )}
    </RegisteredList>
  );
}

function EditMunicipality(
  props: PartProps & {
    municipality: Municipality | null;
    certificates: readonly Certificate[];
    onClose(): void;
  },
) {
  const { municipality, certificates, endpoints, status, onDone } = props;
  const texts = t().registry;
  const fields: readonly Field[] = [
    ...(municipality === null
      ? [
          {
            name: "name",
            label: texts.name,
            kind: "text" as const,
            value: "",
            check: newName(
              100,
              status.municipalities.map(({ name }) => name),
            ),
          },
        ]
      : []),
    { name: "code", label: texts.code, kind: "text", value: municipality?.code ?? "", check: text(50) },
    {
      name: "endpoint",
      label: t().endpoints.name,
      kind: "select",
      value: endpoints.find(({ id }) => id === municipality?.endpointId)?.name ?? "",
      options: [
        { value: "", text: texts.defaultEndpoint },
        ...endpoints.map(({ name }) => ({ value: name, text: name })),
      ],
    },
    {
      name: "certificateId",
      label: texts.certificate,
      kind: "select",
      value: String(municipality?.certificateId ?? ""),
      help: texts.certificateHelp,
      options: [
        { value: "", text: texts.noCertificate },
        ...certificates.map((one) => ({ value: String(one.id), text: describeCertificate(one) })),
      ],
    },
    {
      name: "active",
      label: texts.municipalityActive,
      kind: "box",
      value: municipality?.active === false ? "" : "yes",
    },
  ];
  const save = async (values: Values, touched: ReadonlySet<string>): Promise<void> => {
    const name = municipality?.name ?? values["name"] ?? "";
    const path = `/api/v1/municipalities/${encodeURIComponent(name)}`;
    const body: MunicipalityFields = {
      code: values["code"] || null,
      endpoint: values["endpoint"] || null,
      active: values["active"] === "yes",
    };
    const said = municipality === null ? body : onlyTouched(body, touched);
    if (said !== null) await ask("PUT", path, said);
    if (touched.has("certificateId")) {
      const certificateId = values["certificateId"] ? Number(values["certificateId"]) : null;
      await ask("PUT", `${path}/certificate`, { certificateId });
    }
    onDone(texts.saved(name));
  };
  return (
    <FormDialog
      title={municipality === null ? texts.addMunicipality : texts.changing(municipality.name)}
      fields={fields}
      submit={texts.save}
      onSubmit={save}
      onClose={props.onClose}
    />
  );
}

/** Enough to tell two certificates of the same subject apart. */
function describeCertificate({ id, subject, name, validTo }: Certificate): string {
  return `${subject ?? name} · ${t().certificates.ends.toLowerCase()} ${day(validTo)} · #${id}`;
}
