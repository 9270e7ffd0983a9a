/** What comes before the milliseconds since 1970 at which a message was written. */
export const STAMP = "@written:";
