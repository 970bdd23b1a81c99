import { useState } from "preact/hooks";
import { Deed, failureText, type Said, SaidNote } from "./cures.tsx";
import { instant, number, size, t } from "./i18n.ts";
import { type Live, useGrowing } from "./live.ts";
import { More, Section, Table } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { ask } from "./server.ts";
import {
  type CameraFields,
  type Changed,
  type HeldList,
  type HeldResults,
  mayOperate,
  type Role,
  type Status,
} from "./wire.ts";

/** What is held: of cameras nobody registered, and what could not be understood. */
export function Quarantine(props: { live: Live; status: Status; role: Role }) {
  const { live, status, role } = props;
  const [said, setSaid] = useState<Said | null>(null);
  const { unregistered, malformed } = status.quarantine;
  const texts = t().held;
  const known = new Set(status.cameras.map(({ serial }) => serial));
  const waiting = unregistered.filter(({ serial }) => !known.has(serial));
  const done = (next: Said): void => {
    setSaid(next);
    live.refresh();
  };
  return (
    <>
      <h1 class="page">{texts.title}</h1>
      <SaidNote said={said} />
      <Section title={texts.unregistered} wide>
        {waiting.length === 0 ? (
          <p>{texts.empty}</p>
        ) : (
          <>
            <p class="quiet">{texts.unregisteredHelp}</p>
            <ul class="held">
              {waiting.map(({ serial, messages }) => (
                <li key={serial}>
                  <p>
                    <strong>{serial}</strong> <span class="quiet">{texts.waiting(messages)}</span>
                  </p>
                  {role === "admin" ? (
                    <Register serial={serial} status={status} onSaid={done} />
                  ) : (
                    <p class="quiet">{t().app.needsRole(t().app.roles.admin)}</p>
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
      </Section>
      <Malformed count={malformed} again={`${live.changes} ${malformed}`} role={role} onSaid={done} />
    </>
  );
}

function Register(props: { serial: string; status: Status; onSaid(said: Said): void }) {
  const { serial, status, onSaid } = props;
  const [busy, setBusy] = useState(false);
  const texts = t().held;
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    const fields: CameraFields = { readerCode: text("readerCode"), municipality: text("municipality") };
    if (text("description") !== "") fields.description = text("description");
    setBusy(true);
    try {
      await ask("PUT", `/api/v1/cameras/${encodeURIComponent(serial)}`, fields);
      onSaid({ tone: "good", text: texts.registered(serial) });
    } catch (error) {
      onSaid({ tone: "bad", text: failureText(error) });
      setBusy(false);
    }
  };
  return (
    <form class="inline" onSubmit={submit} aria-label={`${t().cure.register} ${serial}`}>
      <label>
        {texts.readerCode}
        <input name="readerCode" required maxLength={16} pattern="\S+" autocomplete="off" title={texts.readerHelp} />
      </label>
      <label>
        {t().certificates.municipality}
        <select name="municipality" required>
          {status.municipalities.length === 1 ? null : <option value="" />}
          {status.municipalities.map(({ name }) => (
            <option value={name} key={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {texts.description}
        <input name="description" maxLength={200} autocomplete="off" />
      </label>
      <button type="submit" class="primary" disabled={busy}>
        {t().cure.register}
      </button>
      <p class="quiet">
        {texts.readerHelp}. <a href={linkTo("registry/cameras", { add: serial })}>{texts.allFields(serial)}</a>
      </p>
    </form>
  );
}

const LIMIT = 50;

function Malformed(props: { count: number; again: string; role: Role; onSaid(said: Said): void }) {
  const { count, again, role, onSaid } = props;
  const texts = t().held;
  const { value, refresh, showMore } = useGrowing<HeldList>("/api/v1/quarantine?kind=malformed", again, LIMIT);
  const held = value?.held ?? [];
  if (count === 0 && held.length === 0) return null;
  const act = (label: string, run: () => Promise<string>, sure?: string) => (
    <Deed
      label={label}
      {...(sure === undefined ? {} : { sure, class: "danger" })}
      onDeed={run}
      onSaid={(said) => {
        refresh();
        onSaid(said);
      }}
    />
  );
  return (
    <Section title={texts.malformed} wide>
      <p class="quiet">{texts.malformedHelp}</p>
      {mayOperate(role) ? (
        <div class="buttons">
          {act(texts.again, takeIn)}
          {act(texts.drop, drop, texts.dropSure(count))}
        </div>
      ) : null}
      <Table
        label={texts.malformed}
        head={["#", texts.reason, t().cameras.serial, texts.from, texts.received, texts.size]}
        rows={held.map((one) => [
          String(one.id),
          one.reason,
          one.cameraSerial ?? "–",
          one.peer,
          instant(one.receivedAt),
          size(one.sizeBytes),
        ])}
      />
      <More more={value?.more === true} onMore={showMore} />
    </Section>
  );
}

async function takeIn(): Promise<string> {
  const results = await ask<HeldResults>("POST", "/api/v1/quarantine/retry", { kind: "malformed" });
  const { outcomes, results: say } = t().held;
  const parts = Object.entries(results).map(([name, count]) => `${number(count)} ${outcomes[name] ?? name}`);
  return say(parts.join(", ") || "0");
}

async function drop(): Promise<string> {
  const { messages } = await ask<Changed>("POST", "/api/v1/quarantine/drop", { kind: "malformed" });
  return t().held.dropped(messages);
}
