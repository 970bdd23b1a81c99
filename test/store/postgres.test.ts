import { usePostgres } from "../support/postgres-server.ts";
import { openIn } from "../support/postgres-store.ts";
import { describeStore } from "./contract.ts";

describeStore("PostgreSQL", openIn(usePostgres()));
