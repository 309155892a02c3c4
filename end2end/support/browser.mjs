// @ts-check
/** Chromium, and a watch on everything that a page should never do. */
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { DATABASE } from './database.mjs';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** How long a person would wait before calling it broken; generous, for a busy machine. */
const PATIENCE_MS = 20_000;

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const SMALL_PHONE = { width: 320, height: 640 };

/**
 * Who looks, and through what.
 * @typedef {{ javaScript: boolean, viewport: { width: number, height: number } }} Eyes
 */

/**
 * @param {Eyes} eyes
 */
export function described({ javaScript, viewport }) {
  return `JavaScript ${javaScript ? 'on' : 'off'}, ${viewport.width}x${viewport.height}`;
}

const ALL_EYES = [true, false].flatMap((javaScript) =>
  [DESKTOP, PHONE].map((viewport) => ({ javaScript, viewport })),
);

/** With a script on a large screen, and without one on a phone. */
export const BOTH_EYES = ALL_EYES.filter(({ javaScript, viewport }) => javaScript === (viewport === DESKTOP));

/** Both sorts of browser on both sizes of screen; the second database is not looked at in as many ways. */
export const EVERY_EYES = DATABASE === 'sqlite' ? ALL_EYES : BOTH_EYES;

export function launch() {
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/**
 * A browser profile of one person, and what its pages did that they must not.
 *
 * @typedef {Partial<Eyes> & {
 *   colorScheme?: 'light' | 'dark',
 *   reducedMotion?: 'reduce',
 *   timezoneId?: string,
 *   storageState?: any,
 *   init?: () => void,
 * }} ProfileOptions
 */
export class Profile {
  /** @type {string[]} */
  problems = [];
  /** @type {string[]} */
  log = [];
  /** Statuses of documents that the scenario asks for; Chromium reports each as an error. */
  expectedStatuses = new Set();
  /** Origins that the scenario itself opens. */
  origins = new Set();
  /** @type {RegExp[]} */
  #tolerated = [];

  /**
   * @param {import('playwright-core').BrowserContext} context
   * @param {string} origin
   */
  constructor(context, origin) {
    this.context = context;
    this.origins.add(origin);
    context.on('request', (request) => this.#request(request));
    context.on('console', (message) => this.#console(message));
    context.on('weberror', (error) => this.problems.push(`uncaught: ${error.error()}`));
    context.on('dialog', (dialog) => {
      this.problems.push(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
  }

  /** @param {import('playwright-core').Request} request */
  #request(request) {
    const url = new URL(request.url());
    if (!this.origins.has(url.origin)) this.problems.push(`request to ${request.url()}`);
  }

  /** @param {import('playwright-core').ConsoleMessage} message */
  #console(message) {
    const { url } = message.location();
    this.log.push(`${message.type()}: ${message.text()} (${url})`);
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const status = /responded with a status of (\d{3})/.exec(message.text())?.[1];
    const isDocument = url !== '' && !/^\/(assets|pkg)\//.test(new URL(url).pathname);
    if (status && isDocument && this.expectedStatuses.has(Number(status))) return;
    this.problems.push(`console ${message.type()}: ${message.text()} (${url})`);
  }

  /**
   * From here on a page may answer with one of these.
   * @param {...number} statuses
   */
  expect(...statuses) {
    for (const status of statuses) this.expectedStatuses.add(status);
    return this;
  }

  /**
   * What the scenario itself breaks may be complained about.
   * @param {RegExp} complaint
   */
  tolerate(complaint) {
    this.#tolerated.push(complaint);
  }

  /** Nothing went wrong that no reader would notice: errors, CSP violations, foreign requests, dialogs. */
  assertQuiet() {
    const heard = this.problems.filter((said) => !this.#tolerated.some((known) => known.test(said)));
    assert.deepEqual(heard, [], 'pages are quiet: no error, no CSP violation, no dialog, no foreign request');
  }
}

/**
 * A new profile; its pages may only talk to `origin`.
 * @param {import('playwright-core').Browser} browser
 * @param {string} origin
 * @param {ProfileOptions} [options]
 */
export async function newProfile(browser, origin, options = {}) {
  const context = await browser.newContext({
    javaScriptEnabled: options.javaScript ?? true,
    viewport: options.viewport ?? DESKTOP,
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: options.reducedMotion ?? 'no-preference',
    timezoneId: options.timezoneId,
    storageState: options.storageState,
    baseURL: origin,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  if (options.init) await context.addInitScript(options.init);
  return new Profile(context, origin);
}
