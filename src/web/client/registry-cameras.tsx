import { useState } from "preact/hooks";
import { asCoordinate, coordinateBeside, newName, reader, required, text, zone } from "./checks.ts";
import { type Field, FormDialog, onlyTouched, type Values } from "./form.tsx";
import { t } from "./i18n.ts";
import { State } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { type PartProps, RowButtons } from "./registry.tsx";
import { RegisteredList } from "./registry-list.tsx";
import { ask } from "./server.ts";
import type { CameraFields, Removed, Status } from "./wire.ts";

type Camera = Status["cameras"][number];
/** `serial` is what a link gives: the rest is empty. */
type Editing = { kind: "add"; serial: string } | { kind: "change" | "remove"; camera: Camera } | null;

export function RegisteredCameras(props: PartProps) {
  const { status, role, endpoints } = props;
  const wanted = props.query.get("add");
  const [editing, setEditing] = useState<Editing>(
    wanted === null || role !== "admin" ? null : { kind: "add", serial: wanted },
  );
  const texts = t().registry;
  const close = (): void => {
    setEditing(null);
    // The address that opened the form would open it again.
    if (wanted !== null) history.replaceState(null, "", linkTo("registry/cameras"));
  };
  const { cameras, municipalities } = status;
  const isAdmin = role === "admin";
  const rows = cameras.map((camera) => [
    <span key="name">
      {camera.serial}
      {camera.description === null ? null : <span class="quiet"> {camera.description}</span>}
    </span>,
    municipalities.find(({ id }) => id === camera.municipalityId)?.name ?? "–",
    camera.readerCode,
    endpoints.find(({ id }) => id === camera.endpointId)?.name ?? texts.ofMunicipality,
    camera.coordX === null ? "–" : `${camera.coordX} ${camera.coordY}`,
    camera.active ? (
      texts.on
    ) : (
      <State tone="warn" key="active">
        {t().cameras.off}
      </State>
    ),
    ...(isAdmin
      ? [
          <RowButtons
            name={camera.serial}
            key="buttons"
            onChange={() => setEditing({ kind: "change", camera })}
            onRemove={() => setEditing({ kind: "remove", camera })}
          />,
        ]
      : []),
  ]);
  return (
    <RegisteredList
      title={t().cameras.title}
      none={t().cameras.none}
      add={texts.addCamera}
      head={[
        t().cameras.serial,
        t().certificates.municipality,
        t().held.readerCode,
        t().endpoints.name,
        texts.coordinates,
        t().queue.state,
      ]}
      rows={rows}
      isAdmin={isAdmin}
      onAdd={() => setEditing({ kind: "add", serial: "" })}
    >
      {editing === null ? null : editing.kind === "remove" ? (
        <RemoveCamera {...props} camera={editing.camera} onClose={close} />
      ) : (
        <EditCamera
          {...props}
          camera={editing.kind === "add" ? null : editing.camera}
          serial={editing.kind === "add" ? editing.serial : editing.camera.serial}
          onClose={close}
        />
      )}
    </RegisteredList>
  );
}

function EditCamera(props: PartProps & { camera: Camera | null; serial: string; onClose(): void }) {
  const { camera, serial, status, endpoints, onDone } = props;
  const texts = t().registry;
  const nameOf = (list: readonly { id: number; name: string }[], id: number | null | undefined): string =>
    list.find((one) => one.id === id)?.name ?? "";
  const { municipalities } = status;
  const only = municipalities.length === 1 ? (municipalities[0]?.name ?? "") : "";
  const empty = { value: "", text: texts.choose };
  const fields: readonly Field[] = [
    ...(camera === null
      ? [
          {
            name: "serial",
            label: texts.serial,
            kind: "text" as const,
            value: serial,
            help: texts.serialHelp,
            check: newName(
              64,
              status.cameras.map((one) => one.serial),
            ),
          },
        ]
      : []),
    {
      name: "readerCode",
      label: t().held.readerCode,
      kind: "text",
      value: camera?.readerCode ?? "",
      help: t().held.readerHelp,
      check: reader,
    },
    {
      name: "municipality",
      label: t().certificates.municipality,
      kind: "select",
      value: camera === null ? only : nameOf(municipalities, camera.municipalityId),
      options: [...(only === "" ? [empty] : []), ...municipalities.map(({ name }) => ({ value: name, text: name }))],
      check: required,
      ...(municipalities.length === 0 ? { help: texts.noMunicipality } : {}),
    },
    {
      name: "endpoint",
      label: t().endpoints.name,
      kind: "select",
      value: nameOf(endpoints, camera?.endpointId),
      options: [
        { value: "", text: texts.ofMunicipality },
        ...endpoints.map(({ name }) => ({ value: name, text: name })),
      ],
    },
    {
      name: "coordX",
      label: texts.coordX,
      kind: "text",
      value: camera?.coordX ?? "",
      help: texts.coordinateHelp,
      check: coordinateBeside("coordY"),
    },
    {
      name: "coordY",
      label: texts.coordY,
      kind: "text",
      value: camera?.coordY ?? "",
      check: coordinateBeside("coordX"),
    },
    {
      name: "timezone",
      label: texts.zone,
      kind: "text",
      value: camera?.timezone ?? "",
      help: texts.zoneHelp,
      check: zone,
    },
    {
      name: "description",
      label: t().held.description,
      kind: "text",
      value: camera?.description ?? "",
      check: text(200),
    },
    { name: "active", label: texts.cameraActive, kind: "box", value: camera?.active === false ? "" : "yes" },
  ];
  const save = async (values: Values, touched: ReadonlySet<string>): Promise<void> => {
    const orNull = (name: string): string | null => values[name] || null;
    const body: CameraFields = {
      readerCode: values["readerCode"] ?? "",
      municipality: values["municipality"] ?? "",
      endpoint: orNull("endpoint"),
      coordX: orNull("coordX") && asCoordinate(values["coordX"] ?? ""),
      coordY: orNull("coordY") && asCoordinate(values["coordY"] ?? ""),
      timezone: orNull("timezone"),
      description: orNull("description"),
      active: values["active"] === "yes",
    };
    const own = camera?.serial ?? values["serial"] ?? "";
    const said = camera === null ? body : onlyTouched(body, touched);
    if (said !== null) await ask("PUT", `/api/v1/cameras/${encodeURIComponent(own)}`, said);
    onDone(camera === null ? t().held.registered(own) : texts.saved(own));
  };
  return (
    <FormDialog
      title={camera === null ? texts.addCamera : texts.changing(serial)}
      fields={fields}
      submit={camera === null ? t().cure.register : texts.save}
      onSubmit={save}
      onClose={props.onClose}
    />
  );
}

function RemoveCamera(props: PartProps & { camera: Camera; onClose(): void }) {
  const { serial } = props.camera;
  const texts = t().registry;
  return (
    <FormDialog
      title={texts.removing(serial)}
      fields={[
        {
          name: "readings",
          label: texts.readings,
          kind: "choice",
          value: "keep",
          options: [
            { value: "keep", text: texts.readingsKeep },
            { value: "erase", text: texts.readingsErase },
          ],
        },
      ]}
      submit={texts.remove}
      isDanger
      onSubmit={async ({ readings }) => {
        const path = `/api/v1/cameras/${encodeURIComponent(serial)}?readings=${readings}`;
        const { removed, readings: erased } = await ask<Removed>("DELETE", path);
        if (!removed) props.onDone(texts.retired(serial));
        else props.onRemoved(erased === 0 ? texts.removed(serial) : texts.removedErased(serial, erased));
      }}
      onClose={props.onClose}
    />
  );
}
