-- Single facts about the store itself.
CREATE TABLE store_facts (
  name text PRIMARY KEY,
  value text NOT NULL
);
