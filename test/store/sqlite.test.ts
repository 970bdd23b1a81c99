import { SqliteUnderTest } from "../support/store-fixture.ts";
import { describeStore } from "./contract.ts";

describeStore("SQLite", SqliteUnderTest.open);
