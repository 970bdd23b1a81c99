import { useEffect, useState } from "preact/hooks";
import { t } from "./i18n.ts";
import { Command, Note } from "./parts.tsx";
import { ask, ServerFailure } from "./server.ts";
import type { Session, Setup } from "./wire.ts";

const LOOK_EVERY_MS = 3000;

/** Until the first token is there: how to make it. */
export function FirstRun(props: { setup: Setup; onToken(): void }) {
  const { onToken } = props;
  useEffect(() => {
    const timer = setInterval(async () => {
      const setup = await ask<Setup>("GET", "/api/v1/setup").catch(() => null);
      if (setup?.hasToken === true) onToken();
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [onToken]);
  const { title, text, after, roles } = t().firstRun;
  return (
    <main id="content" class="card gate">
      <h1>{title}</h1>
      <p>{text}</p>
      <p>
        <Command text={props.setup.command} />
      </p>
      <p>{after}</p>
      <p class="quiet">{roles}</p>
    </main>
  );
}

export function Login(props: { setup: Setup; onSession(session: Session): void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("token") as HTMLInputElement;
    setBusy(true);
    setProblem(null);
    try {
      props.onSession(await ask<Session>("POST", "/api/v1/session", { token: field.value.trim() }));
    } catch (error) {
      setProblem(loginProblem(error));
      field.select();
    } finally {
      setBusy(false);
    }
  };
  const texts = t().login;
  return (
    <main id="content" class="card gate">
      <h1>{texts.title}</h1>
      <form onSubmit={submit}>
        <label>
          {texts.token}
          <input
            name="token"
            type="password"
            required
            maxLength={200}
            autocomplete="current-password"
            autocapitalize="off"
            spellcheck={false}
            placeholder="tat_…"
          />
        </label>
        {problem === null ? null : <Note tone="bad">{problem}</Note>}
        <button type="submit" class="primary" disabled={busy}>
          {texts.submit}
        </button>
      </form>
      <p class="quiet">{texts.help}</p>
      <p>
        <Command text={props.setup.command} />
      </p>
    </main>
  );
}

function loginProblem(error: unknown): string {
  const status = error instanceof ServerFailure ? error.status : 0;
  if (status === 401 || status === 400) return t().login.wrong;
  if (status === 429) return t().login.tooMany;
  return status === 0 ? t().app.lost : String((error as Error).message);
}
