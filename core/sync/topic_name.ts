/** Names of topics. */

/** Longest name of a topic, in UTF-16 units. */
const TOPIC_MAX = 200;

/** Whether `value` can be the name of a topic. */
export function isTopic(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= TOPIC_MAX &&
    value.isWellFormed();
}

/** TypeError unless `topic` can be the name of a topic. */
export function checkTopic(topic: string): void {
  if (isTopic(topic)) return;
  throw new TypeError(`not the name of a topic: "${topic}" (1 to 200 characters)`);
}
