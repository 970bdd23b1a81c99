import { render } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { chooseLanguage, type Language, startLanguage, t } from "./i18n.ts";
import { findTrouble, type Trouble } from "./live.ts";
import { FirstRun, Login } from "./login.tsx";
import { goToContent } from "./parts.tsx";
import { ask, ServerFailure } from "./server.ts";
import { Header, Shell } from "./shell.tsx";
import { keptTheme, showTheme } from "./theme.ts";
import { TroubleNote } from "./trouble.tsx";
import type { Session, Setup } from "./wire.ts";

type Gate =
  | { at: "asking" }
  | { at: "lost"; trouble: Trouble }
  | { at: "outside"; setup: Setup }
  | { at: "inside"; session: Session };

const AGAIN_MS = 3000;

function App(props: { language: Language }) {
  const [language, setLanguage] = useState(props.language);
  const [gate, setGate] = useState<Gate>({ at: "asking" });

  const look = useCallback(async (): Promise<void> => {
    try {
      setGate({ at: "inside", session: await ask<Session>("GET", "/api/v1/session") });
    } catch (error) {
      if (!(error instanceof ServerFailure) || error.status !== 401) {
        setGate({ at: "lost", trouble: await findTrouble(error) });
        setTimeout(look, AGAIN_MS);
        return;
      }
      const setup = await ask<Setup>("GET", "/api/v1/setup").catch(() => null);
      if (setup === null) setTimeout(look, AGAIN_MS);
      setGate(setup === null ? { at: "lost", trouble: { kind: "lost" } } : { at: "outside", setup });
    }
  }, []);
  useEffect(() => {
    void look();
    addEventListener("tattile-logged-out", look);
    return () => removeEventListener("tattile-logged-out", look);
  }, [look]);

  const changeLanguage = (next: Language): void => {
    chooseLanguage(next);
    setLanguage(next);
  };
  const logOut = async (): Promise<void> => {
    await ask("DELETE", "/api/v1/session").catch(() => null);
    await look();
  };
  const session = gate.at === "inside" ? gate.session : null;
  return (
    <div key={language}>
      <button type="button" class="skip" onClick={goToContent}>
        {t().app.skip}
      </button>
      <Header session={session} language={language} onLanguage={changeLanguage} onLogOut={logOut} />
      {gate.at === "inside" ? <Shell session={gate.session} /> : null}
      {gate.at === "outside" && gate.setup.hasToken ? (
        <Login setup={gate.setup} onSession={(next) => setGate({ at: "inside", session: next })} />
      ) : null}
      {gate.at === "outside" && !gate.setup.hasToken ? <FirstRun setup={gate.setup} onToken={look} /> : null}
      {gate.at === "asking" || gate.at === "lost" ? (
        <main id="content" class="card gate">
          {gate.at === "lost" ? <TroubleNote trouble={gate.trouble} /> : <p>{t().app.loading}</p>}
        </main>
      ) : null}
    </div>
  );
}

showTheme(keptTheme());
const root = document.getElementById("app");
if (root !== null) render(<App language={startLanguage()} />, root);
