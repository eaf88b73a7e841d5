# One image for each process: SERVICE is operator, api, mcp, probe or sandbox.
#
# The build context is dist/images/context, which `npm run images -- build` fills first:
#   base/<arch>/           Node, the libraries it needs, CA certificates, the names of users
#   app/<arch>/<service>/  the bundle of one process, and its bill of materials (CycloneDX)
# There is no shell and no package manager inside. For one image by hand:
#   docker build --build-arg SERVICE=mcp --build-arg TARGETARCH=amd64 -f Dockerfile dist/images/context
FROM scratch

ARG TARGETARCH
# Alike in all five images, so that a node stores and unpacks it once.
COPY base/${TARGETARCH}/ /

# By number, so that the kubelet can prove that it is not root.
USER 65532:65532
# The heap may take most of the container's memory limit; the rest is for buffers. What is young is collected often and
# stays small: servers make little that lasts. One thread collects beside the program: four of them on two cores hold up
# the program that they help. The compiler in the middle would keep 30 MB for itself. Measured in test/bench.
ENTRYPOINT ["/usr/bin/node", "--max-old-space-size-percentage=70", "--max-semi-space-size=2", "--v8-pool-size=1", "--no-maglev", "/app/main.js"]

ARG SERVICE VERSION=dev REVISION= DESCRIPTION=
COPY app/${TARGETARCH}/${SERVICE}/ /app/
LABEL org.opencontainers.image.title="kling-${SERVICE}" \
      org.opencontainers.image.description="${DESCRIPTION}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
