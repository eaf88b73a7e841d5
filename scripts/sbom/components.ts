/** The parts of an image as CycloneDX components: packages of npm, Node with what is compiled into it, packages of the system. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as CDX from '@cyclonedx/cyclonedx-library';
import { z } from 'zod';
import type { BundledPackage } from '../bundle/packages.ts';
import type { BaseContents } from '../images/base.ts';
import type { SystemPackage } from '../images/system-packages.ts';

const { ComponentType, HashAlgorithm } = CDX.Enums;
const { Component, HashDictionary, LicenseRepository, Property, PropertyRepository } = CDX.Models;

const licenses = new CDX.Contrib.License.Factories.LicenseFactory((text) => {
  // an expression such as `MIT OR Apache-2.0` is kept as it is written
  if (!/ (OR|AND|WITH) /.test(text)) throw new RangeError(`${text} is no expression`);
});
const licensed = (license: string | undefined) =>
  new LicenseRepository(license === undefined ? [] : [licenses.makeFromString(license)]);

const lockSchema = z.object({ packages: z.record(z.string(), z.object({ integrity: z.string().optional() })) });
export type Lockfile = z.output<typeof lockSchema>;

export async function readLockfile(root: string): Promise<Lockfile> {
  return lockSchema.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
}

/** Its digest is that of the package as the registry gives it, which is what the lockfile holds. */
export function npmComponent(each: BundledPackage, lockfile: Lockfile): CDX.Models.Component {
  const [scope, name] = each.name.startsWith('@') ? each.name.split('/', 2) : [undefined, each.name];
  const purl = `pkg:npm/${scope === undefined ? '' : `${scope.replace('@', '%40')}/`}${name}@${each.version}`;
  const [algorithm, digest] = lockfile.packages[each.folder]?.integrity?.split('-', 2) ?? [];
  return new Component(ComponentType.Library, name ?? each.name, {
    ...(scope === undefined ? {} : { group: scope }),
    ...{ version: each.version, purl, bomRef: purl, licenses: licensed(each.license) },
    ...(each.description === undefined ? {} : { description: each.description }),
    ...(algorithm === 'sha512' && digest !== undefined
      ? { hashes: new HashDictionary([[HashAlgorithm['SHA-512'], Buffer.from(digest, 'base64').toString('hex')]]) }
      : {}),
  });
}

/** What the scanners of vulnerabilities look for besides Node itself. Source: the dictionary of CPE names of the NVD. */
const CPE: Readonly<Record<string, string>> = {
  openssl: 'openssl:openssl',
  sqlite: 'sqlite:sqlite',
  zlib: 'zlib:zlib',
};
/** Numbers of interfaces, not versions of anything that is inside. */
const NO_PART = new Set(['node', 'modules', 'napi']);

/** @param base folder of the shared part */
export async function nodeComponent(base: string, { nodeVersion }: BaseContents): Promise<CDX.Models.Component> {
  const binary = await readFile(join(base, 'usr/bin/node'));
  const inside = Object.entries(process.version === `v${nodeVersion}` ? process.versions : {}).flatMap(
    ([name, version]) => {
      if (version === undefined || version === '' || NO_PART.has(name)) return [];
      const [purl, cpe] = [`pkg:generic/${name}@${encodeURIComponent(version)}`, CPE[name]];
      const known = cpe === undefined ? {} : { cpe: `cpe:2.3:a:${cpe}:${version.split('-')[0]}:*:*:*:*:*:*:*` };
      return [new Component(ComponentType.Library, name, { version, purl, bomRef: `node/${name}`, ...known })];
    },
  );
  return new Component(ComponentType.Application, 'node', {
    ...{ version: nodeVersion, purl: `pkg:generic/node@${nodeVersion}`, bomRef: `pkg:generic/node@${nodeVersion}` },
    cpe: `cpe:2.3:a:nodejs:node.js:${nodeVersion}:*:*:*:-:*:*:*`,
    licenses: licensed('MIT'),
    hashes: new HashDictionary([[HashAlgorithm['SHA-256'], sha256(binary)]]),
    components: new CDX.Models.ComponentRepository(inside),
    properties: paths(['usr/bin/node']),
  });
}

export function systemComponent(each: SystemPackage, distribution: string | undefined): CDX.Models.Component {
  const qualifiers = [
    `arch=${each.arch}`,
    ...(distribution === undefined ? [] : [`distro=${distribution}`]),
    ...(each.source === each.name ? [] : [`upstream=${each.source}`]),
  ];
  const [vendor = 'debian'] = distribution?.split('-') ?? [];
  const name = encodeURIComponent(each.name);
  const purl = `pkg:deb/${vendor}/${name}@${encodeURIComponent(each.version)}?${qualifiers.join('&')}`;
  return new Component(ComponentType.Library, each.name, {
    ...{ version: each.version, purl, bomRef: purl, properties: paths(each.files) },
  });
}

/** A library of which only its content is known. */
export async function fileComponent(base: string, path: string): Promise<CDX.Models.Component> {
  return new Component(ComponentType.File, path, {
    bomRef: path,
    hashes: new HashDictionary([[HashAlgorithm['SHA-256'], sha256(await readFile(join(base, path)))]]),
  });
}

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const paths = (files: readonly string[]) =>
  new PropertyRepository(files.map((file) => new Property('klingapi:path', `/${file}`)));
