import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { AuditPage } from "./audit.tsx";
import { CertificatesPage } from "./certificates.tsx";
import { isLanguage, LANGUAGES, type Language, number, t } from "./i18n.ts";
import { type Live, useLive } from "./live.ts";
import { MessagePage } from "./message.tsx";
import { Messages } from "./messages.tsx";
import { Overview } from "./overview.tsx";
import { goToContent } from "./parts.tsx";
import { linkTo, type Place, usePlace } from "./place.ts";
import { Quarantine } from "./quarantine.tsx";
import { RegistryPage } from "./registry.tsx";
import { keptTheme, showTheme, THEMES } from "./theme.ts";
import { TokensPage } from "./tokens.tsx";
import { TroubleNote } from "./trouble.tsx";
import type { Session, Status } from "./wire.ts";

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
      <details class="menu">
        <summary>{session === null ? LANGUAGES[props.language].name : session.name}</summary>
        <div class="choices">
          {session === null ? null : (
            <p class="who">
              {session.name} <span class="quiet">({app.roles[session.role]})</span>
            </p>
          )}
          {session?.role === "admin" ? (
            <ul>
              {adminPages().map(({ name, text }) => (
                <li key={name}>
                  <a href={linkTo(name)} onClick={closeMenu}>
                    {text}
                  </a>
                </li>
              ))}
            </ul>
          ) : null}
          <label>
            {app.language}
            <select
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
          </label>
          <label>
            {app.theme}
            <select
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
          </label>
          {session === null ? null : (
            <button type="button" onClick={props.onLogOut}>
              {app.logOut}
            </button>
          )}
        </div>
      </details>
    </header>
  );
}

/** Who may log in, and who did what: seldom needed, so they stand in the menu. */
function adminPages() {
  return [
    { name: "tokens", text: t().tokens.title },
    { name: "audit", text: t().audit.title },
  ];
}

function closeMenu(event: Event): void {
  (event.currentTarget as Element).closest("details")?.removeAttribute("open");
}

/** The pages, once somebody is logged in. */
export function Shell({ session }: { session: Session }) {
  const live = useLive();
  const place = usePlace();
  const { app } = t();
  const { status } = live;
  const held = status === null ? 0 : status.quarantine.malformed + status.quarantine.unregistered.length;
  const dead = status?.queue.byStatus.DEAD ?? 0;
  const pages = [
    { name: "", text: app.overview, count: 0 },
    { name: "messages", text: app.messages, count: dead },
    { name: "quarantine", text: app.held, count: held },
    { name: "certificates", text: app.certificates, count: 0 },
    { name: "registry", text: t().registry.title, count: 0 },
  ];
  const title = [...pages, ...adminPages()].find(({ name }) => name === place.page)?.text ?? "";
  // With the page itself, not a frame later: the history and a screen reader take the title of that moment.
  useLayoutEffect(() => {
    document.title = `${title === "" ? "" : `${title} · `}tattile`;
  }, [title]);
  const first = useRef(true);
  const where = `${place.page}/${place.id}`;
  useEffect(() => {
    if (!first.current) arrive();
    first.current = false;
  }, [where]);
  return (
    <>
      <nav aria-label={app.nav}>
        {pages.map(({ name, text, count }) => (
          <a href={linkTo(name)} key={name} {...(place.page === name ? { "aria-current": "page" } : {})}>
            {text}
            {count === 0 ? null : <span class="count">{number(count)}</span>}
          </a>
        ))}
      </nav>
      <main id="content">
        <TroubleNote trouble={live.trouble} />
        {status !== null ? (
          <Page place={place} live={live} status={status} session={session} />
        ) : live.trouble !== null ? null : (
          <p>{app.loading}</p>
        )}
      </main>
    </>
  );
}

/** Another page begins at its top; who pressed a link that is gone now goes on there with the keyboard. */
function arrive(): void {
  scrollTo(0, 0);
  if (document.activeElement === document.body) goToContent();
}

function Page({ place, live, status, session }: { place: Place; live: Live; status: Status; session: Session }) {
  const { page, id, query } = place;
  const { role } = session;
  switch (page) {
    case "":
      return <Overview status={status} live={live} role={role} />;
    case "messages":
      return id === null ? (
        <Messages query={query} live={live} status={status} role={role} />
      ) : (
        <MessagePage id={id} live={live} role={role} key={id} />
      );
    case "quarantine":
      return <Quarantine live={live} status={status} role={role} />;
    case "certificates":
      return <CertificatesPage live={live} status={status} role={role} municipality={query.get("municipality")} />;
    case "registry":
      return <RegistryPage part={id} query={query} live={live} status={status} role={role} key={String(query)} />;
    case "tokens":
      return role === "admin" ? <TokensPage live={live} session={session} /> : <NeedsAdmin title={t().tokens.title} />;
    case "audit":
      return role === "admin" ? <AuditPage query={query} /> : <NeedsAdmin title={t().audit.title} />;
    default:
      return <p>{t().app.notFound}</p>;
  }
}

function NeedsAdmin({ title }: { title: string }) {
  return (
    <>
      <h1 class="page">{title}</h1>
      <p>{t().app.needsRole(t().app.roles.admin)}</p>
    </>
  );
}
