import { Database } from "bun:sqlite";
import { describeSqliteError } from "./sqlite-connection.ts";

/** Problems named; a damaged file has one for every page. */
const MOST_PROBLEMS = 5;

/**
 * Reads every page of an SQLite file and looks whether it is what SQLite writes; and whether every reference leads somewhere.
 * Blocks for as long as the file takes to read (0.2 s for 100 MB). @returns what is wrong, in SQLite's words; empty: nothing
 * @throws AppError `unavailable` when it cannot be opened
 */
export function verifySqlite(path: string): readonly string[] {
  try {
    using database = new Database(path, { readonly: true, strict: true });
    database.run("PRAGMA busy_timeout = 5000");
    const check = database.query<{ quick_check: string }, []>(`PRAGMA quick_check(${MOST_PROBLEMS})`);
    const problems = check.all().map((row) => row.quick_check);
    const dangling = database.query<{ table: string }, []>("PRAGMA foreign_key_check").all();
    return [
      ...problems.filter((text) => text !== "ok"),
      ...dangling.slice(0, MOST_PROBLEMS).map(({ table }) => `a row of ${table} refers to one that is gone`),
    ];
  } catch (error) {
    throw describeSqliteError(`checking the store ${path}`, error);
  }
}
