import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "./i18n.ts";

let lastId = 0;

/** An id for a pair of elements that belong together. */
export function useName(): string {
  const [id] = useState(() => `n${++lastId}`);
  return id;
}

export function Section(props: {
  title: string;
  children: ComponentChildren;
  wide?: boolean;
  action?: ComponentChildren;
}) {
  const id = useName();
  return (
    <section class={props.wide === true ? "card wide" : "card"} aria-labelledby={id}>
      <div class="card-head">
        <h2 id={id}>{props.title}</h2>
        {props.action}
      </div>
      {props.children}
    </section>
  );
}

/** A table that shrinks to cards on a phone: each cell says what it is. */
export function Table(props: {
  label: string;
  head: readonly string[];
  rows: readonly (readonly ComponentChildren[])[];
}) {
  return (
    <table class="cards" aria-label={props.label}>
      <thead>
        <tr>
          {props.head.map((text) => (
            <th scope="col" key={text}>
              {text}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((cells, row) => (
          <tr key={row}>
            {cells.map((cell, column) =>
              column === 0 ? (
                <th scope="row" key={props.head[column]}>
                  {cell}
                </th>
              ) : (
                <td data-label={props.head[column]} key={props.head[column]}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export type Tone = "good" | "warn" | "bad" | "plain";
const MARKS: Readonly<Record<Tone, string>> = { good: "✓", warn: "!", bad: "✕", plain: "·" };

/** A state as shape, colour and word: never by colour alone. */
export function State(props: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${props.tone}`}>
      <span class="mark" aria-hidden="true">
        {MARKS[props.tone]}
      </span>
      {props.children}
    </span>
  );
}

/** A command to be run on the machine, with a button that copies it. */
export function Command(props: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <span class="command">
      <code>
        {props.text.split(" ").map((word, index) => (
          // A word never breaks at its hyphens: `--role` is one.
          <span class="word" key={`${index} ${word}`}>
            {index === 0 ? word : ` ${word}`}
          </span>
        ))}
      </code>
      {/* Only a page of this machine or with TLS may write to the clipboard. */}
      {navigator.clipboard === undefined ? null : (
        <button type="button" class="small" onClick={copy}>
          <span aria-live="polite">{copied ? t().app.copied : t().app.copy}</span>
        </button>
      )}
    </span>
  );
}

/** What came of something, said aloud by a screen reader too. */
export function Note(props: { tone: Tone; children: ComponentChildren }) {
  return (
    <p class={`note ${props.tone}`} role={props.tone === "bad" ? "alert" : "status"}>
      {props.children}
    </p>
  );
}

/** The keyboard goes on at the content. No link: the address after # says which page it is. */
export function goToContent(): void {
  const content = document.getElementById("content");
  content?.setAttribute("tabindex", "-1");
  content?.focus();
}

/** Below a list that does not show everything: a button for more, or that no more can be shown. */
export function More(props: { more: boolean; onMore: (() => void) | null }) {
  if (!props.more) return null;
  if (props.onMore === null) return <p class="quiet">{t().app.more}</p>;
  return (
    <div class="buttons">
      <button type="button" onClick={props.onMore}>
        {t().app.showMore}
      </button>
    </div>
  );
}
