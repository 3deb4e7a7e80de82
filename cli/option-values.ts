import { isIPv4 } from "node:net";
import { invalid } from "../shared/errors.js";
import { type Address, parseAddress } from "../shared/wire/index.js";

/** Readers of option values for commander: each turns the text into its value, or says in a sentence what is wrong. */

/** A whole number from `min` to `max`. */
export function wholeNumber(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    return invalid(`${name} is "${text}"; it must be a whole number from ${min} to ${max}.`);
  };
}

/** A duration in seconds. */
export function seconds(name: string, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    if (value <= max) return value;
    return invalid(`${name} is "${text}"; it must be a number of seconds from 0 to ${max}.`);
  };
}

export function address(name: string): (text: string) => Address {
  return (text) => parseAddress(text, name);
}

/** One of a few words. */
export function oneOf<Word extends string>(name: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    return word ?? invalid(`${name} is "${text}"; it must be one of ${words.join(", ")}.`);
  };
}

/** Whether nothing but this machine reaches a server that listens on `host`. */
export function isLoopback({ host }: Address): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
