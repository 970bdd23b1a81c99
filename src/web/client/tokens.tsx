import { useState } from "preact/hooks";
import { newName, whole } from "./checks.ts";
import { type Said, SaidNote } from "./cures.tsx";
import { FormDialog, type Values } from "./form.tsx";
import { ago, day, instant, t } from "./i18n.ts";
import { type Live, useAnswer } from "./live.ts";
import { Command, goToContent, Section, State, Table } from "./parts.tsx";
import { ask } from "./server.ts";
import type { MadeToken, NewToken, Role, Session, Token } from "./wire.ts";

const ROLES: readonly Role[] = ["viewer", "operator", "admin"];
const MAX_DAYS = 3650;

/** Who may log in and use the API. */
export function TokensPage({ live, session }: { live: Live; session: Session }) {
  const { value, refresh } = useAnswer<readonly Token[]>("/api/v1/tokens", 0);
  const [editing, setEditing] = useState<"add" | Token | null>(null);
  const [made, setMade] = useState<MadeToken | null>(null);
  const [said, setSaid] = useState<Said | null>(null);
  const texts = t().tokens;
  const tokens = value ?? [];
  const close = (): void => setEditing(null);
  const add = async (values: Values): Promise<void> => {
    const body: NewToken = {
      name: values["name"] ?? "",
      role: ROLES.find((role) => role === values["role"]) ?? "viewer",
      ...(values["days"] ? { days: Number(values["days"]) } : {}),
    };
    setMade(await ask<MadeToken>("POST", "/api/v1/tokens", body));
    setSaid(null);
    refresh();
  };
  const revoke = async ({ id, name }: Token): Promise<void> => {
    await ask("DELETE", `/api/v1/tokens/${id}`);
    setSaid({ tone: "good", text: texts.revoked(name) });
    if (made?.id === id) setMade(null);
    refresh();
    setTimeout(goToContent, 0);
  };
  return (
    <>
      <h1 class="page">{texts.title}</h1>
      <SaidNote said={said} />
      {made === null ? null : (
        <Section title={texts.made(made.name)} wide>
          <div role="status">
            <p>{texts.once}</p>
          </div>
          <p>
            <Command text={made.token} />
          </p>
          <div class="buttons">
            <button type="button" onClick={() => setMade(null)}>
              {texts.kept}
            </button>
          </div>
        </Section>
      )}
      <Section
        title={texts.title}
        wide
        action={
          <button type="button" onClick={() => setEditing("add")}>
            {texts.add}
          </button>
        }
      >
        <p class="quiet">{t().firstRun.roles}</p>
        <Table
          label={texts.title}
          head={[texts.name, texts.role, texts.created, texts.ends, texts.used, t().registry.actions]}
          rows={tokens.map((token) => [
            <span key="name">
              {token.name} {token.name === session.name ? <span class="quiet">({texts.yours})</span> : null}
            </span>,
            t().app.roles[token.role],
            <span key="created" title={instant(token.createdAt)}>
              {day(token.createdAt)}
            </span>,
            <Ends token={token} now={live.now} key="ends" />,
            <span key="used" title={instant(token.lastUsedAt)}>
              {ago(token.lastUsedAt, live.now)}
            </span>,
            <button
              type="button"
              class="small danger"
              key="revoke"
              aria-label={`${texts.revoke} ${token.name}`}
              onClick={() => setEditing(token)}
            >
              {texts.revoke}
            </button>,
          ])}
        />
      </Section>
      {editing === null ? null : editing === "add" ? (
        <FormDialog
          title={texts.add}
          fields={[
            {
              name: "name",
              label: texts.name,
              kind: "text",
              value: "",
              help: texts.nameHelp,
              check: newName(
                64,
                tokens.map(({ name }) => name),
              ),
            },
            {
              name: "role",
              label: texts.role,
              kind: "select",
              value: "viewer",
              help: t().firstRun.roles,
              options: ROLES.map((role) => ({ value: role, text: t().app.roles[role] })),
            },
            {
              name: "days",
              label: texts.days,
              kind: "number",
              value: "",
              help: texts.daysHelp,
              check: whole(1, MAX_DAYS, true),
            },
          ]}
          submit={texts.submit}
          onSubmit={add}
          onClose={close}
        />
      ) : (
        <FormDialog
          title={texts.revoking(editing.name)}
          intro={<p>{editing.name === session.name ? texts.revokeOwn : texts.revokeHelp}</p>}
          fields={[]}
          submit={texts.revoke}
          isDanger
          onSubmit={() => revoke(editing)}
          onClose={close}
        />
      )}
    </>
  );
}

function Ends({ token: { expiresAt }, now }: { token: Token; now: number }) {
  if (expiresAt === null) return <>{t().tokens.endless}</>;
  if (Date.parse(expiresAt) <= now) return <State tone="bad">{t().tokens.over}</State>;
  return <>{day(expiresAt)}</>;
}
