import type { ComponentChildren } from "preact";
import { t } from "./i18n.ts";
import { Section, Table } from "./parts.tsx";

/** What is registered of one kind, with the button that adds one, for those who may; the dialog that is open stands behind it. */
export function RegisteredList(props: {
  title: string;
  none: string;
  add: string;
  head: readonly string[];
  rows: readonly (readonly ComponentChildren[])[];
  isAdmin: boolean;
  onAdd(): void;
  children: ComponentChildren;
}) {
  const { title, rows, isAdmin } = props;
  const button = (
    <button type="button" onClick={props.onAdd}>
      {props.add}
    </button>
  );
  return (
    <Section title={title} wide action={isAdmin ? button : null}>
      {rows.length === 0 ? (
        <p>{props.none}</p>
      ) : (
        <Table label={title} head={[...props.head, ...(isAdmin ? [t().registry.actions] : [])]} rows={rows} />
      )}
      {props.children}
    </Section>
  );
}
