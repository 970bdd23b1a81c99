import type { Connection } from "./sqlite-connection.ts";
import { type Entity, type Row, readEntity, selectEntity, toColumn } from "./sqlite-rows.ts";

/** One table of the registry: whole records in and out. All calls belong into a transaction of the caller. */
export interface RegistryTable<T> {
  list(): T[];
  find(id: number): T | null;
  insert(value: object): number;
  /** False when the record says the same already: then nothing is written. */
  update(found: T, value: object): boolean;
  remove(id: number): void;
}

/** `derived`: further columns that follow from the record. `readOnly`: fields that the registry does not write. */
export function createTable<T extends { id: number }>(
  connection: Connection,
  entity: Entity<T>,
  options: { readOnly?: readonly (keyof T)[]; derived?: Readonly<Record<string, (value: Row) => string>> } = {},
): RegistryTable<T> {
  const readOnly: readonly string[] = ["id", ...(options.readOnly ?? []).map(String)];
  const written = Object.entries<string>(entity.columns).filter(([field]) => !readOnly.includes(field));
  const derived = Object.entries(options.derived ?? {});
  const names = [...written.map(([, column]) => column), ...derived.map(([column]) => column)];
  const select = `SELECT ${selectEntity(entity, "t")} FROM ${entity.table} t`;

  const list = connection.prepare<Row, []>(`${select} ORDER BY t.id`);
  const find = connection.prepare<Row, [number]>(`${select} WHERE t.id = ?`);
  const insert = connection.prepare<never, ReturnType<typeof toColumn>[]>(
    `INSERT INTO ${entity.table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
  );
  const update = connection.prepare<never, ReturnType<typeof toColumn>[]>(
    `UPDATE ${entity.table} SET ${names.map((name) => `${name} = ?`).join(", ")} WHERE id = ?`,
  );
  const remove = connection.prepare<never, [number]>(`DELETE FROM ${entity.table} WHERE id = ?`);
  const bind = (value: object): ReturnType<typeof toColumn>[] => {
    const fields = value as Row;
    return [...written.map(([field]) => toColumn(fields[field])), ...derived.map(([, derive]) => derive(fields))];
  };

  return {
    list: () => list.all().map((row) => readEntity(entity, row)),
    find: (id) => {
      const row = find.get(id);
      return row === null ? null : readEntity(entity, row);
    },
    insert: (value) => Number(insert.run(...bind(value)).lastInsertRowid),
    update: (found, value) => {
      const [before, after] = [bind(found), bind(value)];
      if (before.every((column, index) => column === after[index])) return false;
      update.run(...after, found.id);
      return true;
    },
    remove: (id) => {
      remove.run(id);
    },
  };
}
