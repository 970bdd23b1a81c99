import { isLanguage, LANGUAGES, type Language, t } from "./i18n.ts";
import { useLive } from "./live.ts";
import { Overview } from "./overview.tsx";
import { Note } from "./parts.tsx";
import { linkTo, usePlace } from "./place.ts";
import { keptTheme, showTheme, THEMES } from "./theme.ts";
import type { Session } from "./wire.ts";

export function Header(props: {
  session: Session | null;
  language: Language;
  onLanguage(language: Language): void;
  onLogOut(): void;
}) {
  const { app } = t();
  const { session } = props;
  return (
    <header>
      <a class="brand" href="#/">
        <span class="plate" aria-hidden="true">
          ✓
        </span>
        tattile
      </a>
      <div class="choices">
        {session === null ? null : (
          <span class="who">
            {session.name} <span class="quiet">({app.roles[session.role]})</span>
          </span>
        )}
        <select
          aria-label={app.language}
          value={props.language}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            if (isLanguage(chosen)) props.onLanguage(chosen);
          }}
        >
          {Object.entries(LANGUAGES).map(([code, { name }]) => (
            <option value={code} key={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
        <select
          aria-label={app.theme}
          value={keptTheme()}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            showTheme(THEMES.find((theme) => theme === chosen) ?? "auto");
          }}
        >
          {THEMES.map((theme) => (
            <option value={theme} key={theme}>
              {app.themes[theme]}
            </option>
          ))}
        </select>
        {session === null ? null : (
          <button type="button" class="small" onClick={props.onLogOut}>
            {app.logOut}
          </button>
        )}
      </div>
    </header>
  );
}

/** The pages, once somebody is logged in. */
export function Shell(props: { session: Session }) {
  const live = useLive();
  const { page } = usePlace();
  const { app } = t();
  const pages = [["", app.overview]] as const;
  return (
    <>
      <nav aria-label={app.nav}>
        {pages.map(([name, text]) => (
          <a href={linkTo(name)} key={name} {...(page === name ? { "aria-current": "page" } : {})}>
            {text}
          </a>
        ))}
      </nav>
      <main id="content">
        {live.lost ? <Note tone="bad">{app.lost}</Note> : null}
        {live.status === null ? (
          live.lost ? null : (
            <p>{app.loading}</p>
          )
        ) : page === "" ? (
          <Overview status={live.status} now={live.now} session={props.session} />
        ) : (
          <p>{app.notFound}</p>
        )}
      </main>
    </>
  );
}
