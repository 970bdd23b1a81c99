import { useState } from "preact/hooks";
import { AUDITED_DEEDS } from "../../store/audit.ts";
import { failureText } from "./cures.tsx";
import { instant, t } from "./i18n.ts";
import { useAnswer } from "./live.ts";
import { Note, Section, Table } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { ask } from "./server.ts";
import type { AuditEntry, AuditList } from "./wire.ts";

const LIMIT = 50;

/** Who did what, the newest first; more of it as long as there is more. */
export function AuditPage({ query }: { query: URLSearchParams }) {
  const path = auditPath(query);
  const { value, error } = useAnswer<AuditList>(path, 0);
  const texts = t().audit;
  return (
    <>
      <h1 class="page">{texts.title}</h1>
      <p class="quiet">{texts.help}</p>
      <Filter query={query} key={String(query)} />
      {error === null ? null : <Note tone="bad">{failureText(error)}</Note>}
      {value === null ? (
        error === null ? (
          <p>{t().app.loading}</p>
        ) : null
      ) : (
        <Entries first={value} path={path} key={path} />
      )}
    </>
  );
}

/** What is asked for: only what the form can hold. */
function auditPath(query: URLSearchParams): string {
  const wanted = new URLSearchParams({ limit: String(LIMIT) });
  for (const name of ["who", "what", "message"]) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  const since = new Date(`${query.get("since")}T00:00:00`);
  if (!Number.isNaN(since.getTime())) wanted.set("since", since.toISOString());
  return `/api/v1/audit?${wanted}`;
}

function Entries({ first, path }: { first: AuditList; path: string }) {
  const [later, setLater] = useState<readonly AuditList[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const texts = t().audit;
  const entries = [first, ...later].flatMap((page) => page.entries);
  const next = (later.at(-1) ?? first).next;
  const load = async (): Promise<void> => {
    setBusy(true);
    try {
      const page = await ask<AuditList>("GET", `${path}&after=${next}`);
      setLater((known) => [...known, page]);
      setProblem(null);
    } catch (error) {
      setProblem(failureText(error));
    } finally {
      setBusy(false);
    }
  };
  if (entries.length === 0) return <p>{texts.empty}</p>;
  return (
    <Section title={texts.shown(entries.length)} wide>
      <Table
        label={texts.title}
        head={[texts.when, texts.who, texts.what, texts.detail]}
        rows={entries.map((entry) => [
          instant(entry.at),
          entry.who,
          <span title={entry.what} key="what">
            {texts.deeds[entry.what as keyof typeof texts.deeds] ?? entry.what}
          </span>,
          <Detail entry={entry} key="detail" />,
        ])}
      />
      {problem === null ? null : <Note tone="bad">{problem}</Note>}
      {next === null ? null : (
        <div class="buttons">
          <button type="button" disabled={busy} onClick={load}>
            {texts.more}
          </button>
        </div>
      )}
    </Section>
  );
}

function Detail({ entry: { messageId, detail } }: { entry: AuditEntry }) {
  return (
    <span>
      {messageId === null ? null : <a href={linkTo(`messages/${messageId}`)}>{t().message.title(String(messageId))}</a>}{" "}
      {detail}
    </span>
  );
}

function Filter({ query }: { query: URLSearchParams }) {
  const texts = t().audit;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const chosen = [...form].map(([name, value]) => [name, String(value).trim()] as const);
    location.hash = linkTo("audit", Object.fromEntries(chosen.filter(([, value]) => value !== "")));
  };
  const value = (name: string): string => query.get(name) ?? "";
  return (
    <form class="inline" onSubmit={submit} aria-label={t().messages.filter}>
      <label>
        {texts.who}
        <input name="who" maxLength={100} defaultValue={value("who")} autocomplete="off" spellcheck={false} />
      </label>
      <label>
        {texts.what}
        <select name="what">
          <option value="">{texts.anything}</option>
          {AUDITED_DEEDS.map((deed) => (
            <option value={deed} key={deed} selected={deed === value("what")}>
              {texts.deeds[deed]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {texts.message}
        <input name="message" inputMode="numeric" pattern="[1-9]\d{0,14}" defaultValue={value("message")} />
      </label>
      <label>
        {texts.since}
        <input name="since" type="date" defaultValue={value("since")} />
      </label>
      <button type="submit">{texts.filter}</button>
    </form>
  );
}
