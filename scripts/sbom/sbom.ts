/** The bill of materials of one image: CycloneDX 1.6 as JSON, the same bytes from the same parts. */
import * as CDX from '@cyclonedx/cyclonedx-library';
import cyclonedx from '@cyclonedx/cyclonedx-library/package.json' with { type: 'json' };
import type { Bundle } from '../bundle/bundle.ts';
import type { BaseContents } from '../images/base.ts';
import { fileComponent, nodeComponent, npmComponent, readLockfile, systemComponent } from './components.ts';

export interface SbomInput {
  readonly root: string;
  readonly bundle: Bundle;
  /** Folder of the shared part, and what is in it. */
  readonly base: string;
  readonly contents: BaseContents;
  readonly version: string;
  /** When what it tells of was made; without it the text says nothing of time. */
  readonly created: Date | undefined;
}

export async function sbom({ root, bundle, base, contents, version, created }: SbomInput): Promise<string> {
  const { process, contents: bundled } = bundle;
  const image = new CDX.Models.Component(CDX.Enums.ComponentType.Container, `kling-${process.name}`, {
    ...{ version, bomRef: `kling-${process.name}`, description: process.description },
    licenses: new CDX.Models.LicenseRepository([new CDX.Models.SpdxLicense('Apache-2.0')]),
    properties: new CDX.Models.PropertyRepository([new CDX.Models.Property('klingapi:arch', contents.arch)]),
  });
  const bom = new CDX.Models.Bom({
    metadata: new CDX.Models.Metadata({
      ...(created === undefined ? {} : { timestamp: created }),
      component: image,
      supplier: new CDX.Models.OrganizationalEntity({ name: 'The KlingApi operator project' }),
      tools: new CDX.Models.Tools({
        components: new CDX.Models.ComponentRepository([
          new CDX.Models.Component(CDX.Enums.ComponentType.Library, 'cyclonedx-library', {
            ...{ group: '@cyclonedx', version: cyclonedx.version },
          }),
        ]),
      }),
    }),
  });

  const lockfile = await readLockfile(root);
  // one version in two folders is one part
  const parts = new Map<string, CDX.Models.Component>();
  const byFolder = new Map<string, CDX.Models.Component>();
  for (const each of bundled.packages) {
    const component = npmComponent(each, lockfile);
    const known = parts.get(component.purl ?? '') ?? component;
    parts.set(known.purl ?? '', known);
    byFolder.set(each.folder, known);
  }
  const depend = (component: CDX.Models.Component, folders: readonly string[]): void => {
    for (const folder of folders) {
      const target = byFolder.get(folder);
      if (target !== undefined && target !== component) component.dependencies.add(target.bomRef);
    }
  };
  for (const { folder, imports } of bundled.packages) depend(byFolder.get(folder) ?? image, imports);
  depend(image, bundled.imports);

  const node = await nodeComponent(base, contents);
  const system = contents.packages.map((each) => systemComponent(each, contents.distribution));
  const files = await Promise.all(contents.unowned.map((path) => fileComponent(base, path)));
  for (const each of [...system, ...files]) node.dependencies.add(each.bomRef);
  image.dependencies.add(node.bomRef);

  for (const each of [...parts.values(), node, ...system, ...files]) bom.components.add(each);
  const serializer = new CDX.Serialize.JsonSerializer(new CDX.Serialize.JSON.Normalize.Factory(CDX.Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`;
}
