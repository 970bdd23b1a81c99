import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { failureText } from "./cures.tsx";
import { t } from "./i18n.ts";
import { Note, useName } from "./parts.tsx";
import { ServerFailure } from "./server.ts";

/** What a form holds, by field; a box that is ticked is "yes", one that is not "". */
export type Values = Readonly<Record<string, string>>;

export interface Field {
  name: string;
  label: string;
  kind: "text" | "number" | "select" | "box" | "choice";
  value: string;
  /** What may stand there. */
  help?: string;
  /** Of select and choice. */
  options?: readonly { value: string; text: string }[];
  /** In the language of the page; null: it is as it should be. */
  check?(value: string, values: Values): string | null;
}

/** A form before the page. What is wrong stands at its field, and the keyboard goes there. */
export function FormDialog(props: {
  title: string;
  intro?: ComponentChildren;
  /** Why it cannot be done now, whatever is written; null: it can. */
  hindrance?: string | null;
  fields: readonly Field[];
  submit: string;
  isDanger?: boolean;
  /** `touched`: what differs from how the form was opened. @throws what kept it from being done; then the form stays open. */
  onSubmit(values: Values, touched: ReadonlySet<string>): Promise<void>;
  onClose(): void;
}) {
  // What the page learns meanwhile must not change what is being written.
  const [fields] = useState(props.fields);
  const [problems, setProblems] = useState<Values>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const id = useName();
  const isHindered = (props.hindrance ?? null) !== null;
  // With what is shown, not a moment after it: what is typed meanwhile would go to another field.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [problems]);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (form.current === null) return;
    const values = readValues(form.current, fields);
    const wrong = fields.flatMap(({ name, check }) => {
      const problem = check?.(values[name] ?? "", values) ?? null;
      return problem === null ? [] : [[name, problem] as const];
    });
    setFailure(null);
    setProblems(Object.fromEntries(wrong));
    if (wrong.length > 0) return;
    setBusy(true);
    try {
      await props.onSubmit(
        values,
        new Set(fields.filter(({ name, value }) => values[name] !== value).map(({ name }) => name)),
      );
      dialog.current?.close();
    } catch (error) {
      const name = fieldOf(error, fields);
      if (name === null) setFailure(failureText(error));
      else setProblems({ [name]: t().form.refused(failureText(error)) });
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} class="edit" onClose={props.onClose}>
      <form ref={form} onSubmit={submit} noValidate>
        <h2 id={id}>{props.title}</h2>
        {props.intro}
        {fields.map((field) => (
          <FieldRow field={field} problem={problems[field.name] ?? null} key={field.name} />
        ))}
        {isHindered ? <Note tone="warn">{props.hindrance}</Note> : null}
        {failure === null ? null : <Note tone="bad">{failure}</Note>}
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            {t().app.cancel}
          </button>
          {isHindered ? null : (
            <button type="submit" class={props.isDanger === true ? "danger" : "primary"} disabled={busy}>
              {props.submit}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

function FieldRow({ field, problem }: { field: Field; problem: string | null }) {
  const { name, label, kind, value, help, options = [] } = field;
  const id = useName();
  const told = [...(problem === null ? [] : [`${id}-problem`]), ...(help === undefined ? [] : [`${id}-help`])];
  const isRequired = kind !== "box" && kind !== "choice" && (field.check?.("", {}) ?? null) !== null;
  const common = {
    name,
    ...(isRequired ? { "aria-required": true } : {}),
    autocomplete: "off" as const,
    "aria-invalid": problem !== null,
    ...(told.length === 0 ? {} : { "aria-describedby": told.join(" ") }),
  };
  const below = (
    <>
      {problem === null ? null : (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      {help === undefined ? null : (
        <p class="quiet" id={`${id}-help`}>
          {help}
        </p>
      )}
    </>
  );
  if (kind === "choice") {
    return (
      <fieldset class="choice">
        <legend>{label}</legend>
        {options.map((option) => (
          <label class="box" key={option.value}>
            <input {...common} type="radio" value={option.value} defaultChecked={option.value === value} />
            {option.text}
          </label>
        ))}
        {below}
      </fieldset>
    );
  }
  if (kind === "box") {
    return (
      <div class="field">
        <label class="box">
          <input {...common} type="checkbox" value="yes" defaultChecked={value === "yes"} />
          {label}
        </label>
        {below}
      </div>
    );
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {kind === "select" ? (
        <select {...common} id={id}>
          {options.map((option) => (
            <option value={option.value} key={option.value} selected={option.value === value}>
              {option.text}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          id={id}
          defaultValue={value}
          spellcheck={false}
          {...(kind === "number" ? { inputMode: "numeric" as const } : {})}
        />
      )}
      {below}
    </div>
  );
}

function readValues(form: HTMLFormElement, fields: readonly Field[]): Values {
  const data = new FormData(form);
  return Object.fromEntries(fields.map(({ name }) => [name, String(data.get(name) ?? "").trim()]));
}

/** The field that the server speaks of; null: none of these. */
function fieldOf(error: unknown, fields: readonly Field[]): string | null {
  if (!(error instanceof ServerFailure)) return null;
  const name = /^(?:body|path)\.(\w+)/.exec(error.message)?.[1];
  return fields.find((field) => field.name === name)?.name ?? null;
}

/** Of what is to be saved only what was changed here: what somebody else changed meanwhile stays. Null: nothing was. */
export function onlyTouched<T extends object>(body: T, touched: ReadonlySet<string>): Partial<T> | null {
  const changed = Object.entries(body).filter(([name]) => touched.has(name));
  // Sound: some of the keys of `body`.
  return changed.length === 0 ? null : (Object.fromEntries(changed) as Partial<T>);
}
