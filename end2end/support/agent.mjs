// @ts-check
/** An agent as it sees the product: HTTP with a bearer key, nothing else. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';

/**
 * @typedef {{ status: number, headers: Headers, body: any }} Answer
 */

export class Agent {
  /**
   * @param {string} url
   * @param {string} key
   */
  constructor(url, key) {
    this.url = url;
    this.key = key;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ body?: unknown, headers?: Record<string, string> }} [options]
   * @returns {Promise<Answer>}
   */
  async call(method, path, { body, headers = {} } = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    };
  }

  /**
   * Stages a body and answers with the request.
   * @param {any} body
   * @returns {Promise<any>}
   */
  async stage(body) {
    const headers = { 'idempotency-key': randomUUID() };
    const staged = await this.call('POST', '/api/v1/requests', { body, headers });
    assert.equal(staged.status, 201, JSON.stringify(staged.body));
    return staged.body;
  }

  /**
   * Puts a new revision in place of the present one.
   * @param {string} id
   * @param {any} body
   * @returns {Promise<any>}
   */
  async amend(id, body) {
    const amended = await this.call('POST', `/api/v1/requests/${id}/revisions`, { body });
    assert.equal(amended.status, 201, JSON.stringify(amended.body));
    return amended.body;
  }

  /**
   * @param {string} id
   * @returns {Promise<any>}
   */
  async read(id) {
    const answer = await this.call('GET', `/api/v1/requests/${id}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  }

  /**
   * Waits by long poll, as a real agent does, until the request is no longer pending.
   * @param {string} id
   * @returns {Promise<any>}
   */
  async decided(id) {
    for (;;) {
      const headers = { prefer: 'wait=25' };
      const answer = await this.call('GET', `/api/v1/requests/${id}`, { headers });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      if (answer.body.state !== 'pending') return answer.body;
    }
  }

  /**
   * @param {string} id
   * @param {string} digest
   * @param {string} key the Idempotency-Key
   */
  redeem(id, digest, key) {
    const headers = { 'idempotency-key': key };
    return this.call('POST', `/api/v1/requests/${id}/redeem`, { body: { digest }, headers });
  }
}

/**
 * The digest of a piece of evidence, as the product writes it.
 * @param {string} content
 */
export function digestOf(content) {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/**
 * A kind's effect sentence for these parameters.
 * @param {string} template
 * @param {Record<string, unknown>} parameters
 */
export function effectOf(template, parameters) {
  return template.replace(/\{(\w+)\}/g, (_, name) => String(parameters[name]));
}
