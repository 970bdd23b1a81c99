import { useRef, useState } from "preact/hooks";
import { failureText, type Said, SaidNote } from "./cures.tsx";
import { day, t } from "./i18n.ts";
import { type Live, useAnswer } from "./live.ts";
import { Section, State, Table, type Tone } from "./parts.tsx";
import { ask } from "./server.ts";
import type { Certificate, PfxUpload, Role, SavedCertificate, Status } from "./wire.ts";

const DAYS_SOON = 30;
const MAX_PFX_BYTES = 1024 * 1024;

/** Days left as a state: run out, soon, or in good time. */
export function DaysLeft({ days }: { days: number | null }) {
  const texts = t().certificates;
  const tone: Tone = days === null ? "plain" : days < 0 ? "bad" : days < DAYS_SOON ? "warn" : "good";
  return <State tone={tone}>{days === null ? t().app.unknown : days < 0 ? texts.over : texts.days(days)}</State>;
}

export function CertificatesPage(props: { live: Live; status: Status; role: Role; municipality: string | null }) {
  const { live, status, role } = props;
  const { value, refresh } = useAnswer<readonly Certificate[]>("/api/v1/certificates", live.changes);
  const texts = t().certificates;
  const inUse = value?.filter((one) => one.inUse) ?? [];
  return (
    <>
      <h1 class="page">{texts.title}</h1>
      {role === "admin" ? (
        <Import
          status={status}
          municipality={props.municipality}
          onDone={() => {
            refresh();
            live.refresh();
          }}
        />
      ) : (
        <p class="quiet">{t().app.needsRole(t().app.roles.admin)}</p>
      )}
      <Section title={texts.title} wide>
        {value !== null && inUse.length === 0 ? <p>{texts.none}</p> : null}
        {inUse.length === 0 ? null : (
          <Table
            label={texts.title}
            head={[texts.municipality, texts.subject, texts.ends, texts.left]}
            rows={inUse.map((one) => [
              one.municipality ?? "–",
              one.subject ?? one.name,
              day(one.validTo),
              <DaysLeft days={one.daysLeft} key="left" />,
            ])}
          />
        )}
      </Section>
    </>
  );
}

/** By drag and drop, or by choosing the file. */
function Import(props: { status: Status; municipality: string | null; onDone(): void }) {
  const [file, setFile] = useState<File | null>(null);
  const [isOver, setOver] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<Said | null>(null);
  const password = useRef<HTMLInputElement>(null);
  const texts = t().certificates;

  const take = (chosen: File | undefined): void => {
    setOver(false);
    if (chosen === undefined) return;
    const problem = !/\.(pfx|p12)$/i.test(chosen.name)
      ? texts.notPfx
      : chosen.size > MAX_PFX_BYTES
        ? texts.tooLarge
        : null;
    setFile(problem === null ? chosen : null);
    setSaid(problem === null ? null : { tone: "bad", text: problem });
    if (problem === null) password.current?.focus();
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    if (file === null) return setSaid({ tone: "bad", text: texts.drop });
    const fields = new FormData(form);
    setBusy(true);
    setSaid(null);
    try {
      const body: PfxUpload = {
        municipality: String(fields.get("municipality")),
        password: String(fields.get("password")),
        pfx: await readBase64(file),
      };
      const saved = await ask<SavedCertificate>("POST", "/api/v1/certificates", body);
      const say = saved.result === "staged" ? texts.staged : texts.done;
      setSaid({ tone: "good", text: say(saved.municipality) });
      setFile(null);
      if (password.current !== null) password.current.value = "";
      props.onDone();
    } catch (error) {
      setSaid({ tone: "bad", text: failureText(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section title={texts.import} wide>
      <form onSubmit={submit}>
        <fieldset
          class={isOver ? "drop over" : "drop"}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            take(event.dataTransfer?.files[0]);
          }}
        >
          <legend class="hidden">{texts.drop}</legend>
          <p aria-live="polite">{file === null ? texts.drop : texts.chosen(file.name)}</p>
          <label class="button">
            {texts.choose}
            <input
              type="file"
              class="hidden"
              accept=".pfx,.p12,application/x-pkcs12"
              onChange={(event) => {
                take(event.currentTarget.files?.[0]);
                event.currentTarget.value = "";
              }}
            />
          </label>
        </fieldset>
        <div class="inline">
          <label>
            {texts.forMunicipality}
            <select name="municipality" required defaultValue={props.municipality ?? undefined}>
              {props.status.municipalities.map(({ name }) => (
                <option value={name} key={name} selected={name === props.municipality}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            {texts.password}
            <input name="password" type="password" autocomplete="off" ref={password} maxLength={1000} />
          </label>
          <button type="submit" class="primary" disabled={busy}>
            {texts.submit}
          </button>
        </div>
        <SaidNote said={said} />
      </form>
    </Section>
  );
}

function readBase64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
