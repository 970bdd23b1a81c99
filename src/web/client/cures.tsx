import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "./i18n.ts";
import { Note, type Tone, useName } from "./parts.tsx";
import { ask, ServerFailure } from "./server.ts";
import type { Changed, EndpointTried, MessageSelection } from "./wire.ts";

export interface Said {
  tone: Tone;
  text: string;
}

/** What went wrong, in the server's words. */
export function failureText(error: unknown): string {
  if (error instanceof ServerFailure && error.status === 0) return t().app.lost;
  if (error instanceof ServerFailure && error.status === 503) return t().app.storeAway(null, false);
  if (error instanceof ServerFailure) return error.hint === null ? error.message : `${error.message} — ${error.hint}`;
  return String(error);
}

/** A button that does something on the server, once at a time, and says what came of it. */
export function Deed(props: {
  label: string;
  /** Asked before; for what cannot be undone. */
  sure?: string;
  class?: string;
  onDeed(): Promise<string>;
  onSaid(said: Said): void;
}) {
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const run = async (): Promise<void> => {
    setAsking(false);
    setBusy(true);
    try {
      props.onSaid({ tone: "good", text: await props.onDeed() });
    } catch (error) {
      props.onSaid({ tone: "bad", text: failureText(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        class={props.class ?? ""}
        disabled={busy}
        onClick={() => (props.sure === undefined ? void run() : setAsking(true))}
      >
        {props.label}
      </button>
      {asking && props.sure !== undefined ? (
        <Sure text={props.sure} yes={props.label} onYes={run} onNo={() => setAsking(false)} />
      ) : null}
    </>
  );
}

function Sure(props: { text: string; yes: string; onYes(): void; onNo(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useName();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={props.onNo}>
      <p id={id}>{props.text}</p>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          {t().app.cancel}
        </button>
        <button type="button" class="danger" onClick={props.onYes}>
          {props.yes}
        </button>
      </div>
    </dialog>
  );
}

/** Sends messages again. @returns what to say */
export async function retry(selection: MessageSelection): Promise<string> {
  const { messages } = await ask<Changed>("POST", "/api/v1/messages/retry", selection);
  return t().cure.retried(messages);
}

export async function discard(selection: MessageSelection): Promise<string> {
  const { messages } = await ask<Changed>("POST", "/api/v1/messages/discard", selection);
  return t().messages.discarded(messages);
}

/** The last thing said, below what it was about. */
export function SaidNote({ said }: { said: Said | null }): ComponentChildren {
  return said === null ? null : <Note tone={said.tone}>{said.text}</Note>;
}

/** Ends the wait of a paused service. @returns what to say */
export async function tryNow(endpoint: string): Promise<string> {
  const { pauses } = await ask<EndpointTried>("POST", `/api/v1/endpoints/${encodeURIComponent(endpoint)}/try`);
  return pauses === 0 ? t().cure.notPaused : t().cure.trying;
}
