import { useEffect, useState } from "preact/hooks";
import { type Said, SaidNote } from "./cures.tsx";
import { some, t } from "./i18n.ts";
import { type Live, useAnswer } from "./live.ts";
import { goToContent } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { RegisteredCameras } from "./registry-cameras.tsx";
import { RegisteredEndpoints } from "./registry-endpoints.tsx";
import { RegisteredMunicipalities } from "./registry-municipalities.tsx";
import type { Endpoint, Role, Status } from "./wire.ts";

/** What every part of the registry is given. */
export interface PartProps {
  status: Status;
  role: Role;
  endpoints: readonly Endpoint[];
  query: URLSearchParams;
  /** Something was changed: this is to be said. */
  onDone(text: string): void;
  /** Something was removed: what had the focus is gone. */
  onRemoved(text: string): void;
}

const PARTS = ["cameras", "municipalities", "endpoints"] as const;

/** Municipalities, endpoints and cameras: what is registered, and for an administrator the forms that change it. */
export function RegistryPage(props: {
  part: string | null;
  query: URLSearchParams;
  live: Live;
  status: Status;
  role: Role;
}) {
  const { live, status, role, query } = props;
  const [said, setSaid] = useState<Said | null>(null);
  const { value, refresh } = useAnswer<readonly Endpoint[]>("/api/v1/endpoints", status.endpoints.length);
  const texts = t().registry;
  const part = PARTS.find((one) => one === props.part) ?? "cameras";
  // What was said of one part is not of another.
  useEffect(() => setSaid(null), [part]);
  const onDone = (text: string): void => {
    setSaid({ tone: "good", text });
    refresh();
    live.refresh();
  };
  const onRemoved = (text: string): void => {
    onDone(text);
    // Once the form is gone.
    setTimeout(goToContent, 0);
  };
  const given: PartProps = { status, role, endpoints: value ?? [], query, onDone, onRemoved };
  return (
    <>
      <h1 class="page">{texts.title}</h1>
      <nav class="parts" aria-label={texts.title}>
        {PARTS.map((name) => (
          <a href={linkTo(`registry/${name}`)} key={name} {...(name === part ? { "aria-current": "page" } : {})}>
            {texts.parts[name]}
          </a>
        ))}
      </nav>
      <SaidNote said={said} />
      {role === "admin" ? null : <p class="quiet">{t().app.needsRole(t().app.roles.admin)}</p>}
      {part === "cameras" ? <RegisteredCameras {...given} /> : null}
      {part === "municipalities" ? <RegisteredMunicipalities {...given} /> : null}
      {part === "endpoints" ? <RegisteredEndpoints {...given} /> : null}
    </>
  );
}

/** The buttons of one row; what they are about is said to a screen reader too. */
export function RowButtons(props: { name: string; onChange(): void; onRemove(): void }) {
  const { change, remove } = t().registry;
  return (
    <span class="buttons">
      <button type="button" class="small" aria-label={`${change} ${props.name}`} onClick={props.onChange}>
        {change}
      </button>
      <button type="button" class="small danger" aria-label={`${remove} ${props.name}`} onClick={props.onRemove}>
        {remove}
      </button>
    </span>
  );
}

/** Why something cannot be removed: these use it. Null: none does. */
export function usedBy(names: readonly string[]): string | null {
  return names.length === 0 ? null : t().registry.usedBy(some(names));
}
