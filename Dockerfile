# syntax=docker/dockerfile:1
# Millstream alone in an image: one static binary, no shell, no libraries.

FROM rust:1.95-slim AS builder
WORKDIR /build
COPY . .
# What `--version` says it was built from: "$(git log -1 --format='%h %cs')".
ARG MILLSTREAM_COMMIT
# The static build that is tested with Kafka, on glibc: its allocator lets threads be, while musl's has one lock for all of
# them. The caches outlive a build, the binary leaves through /out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    target=$(rustc -vV | sed -n 's/^host: //p') \
 && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --bin millstream --target "$target" \
 && install -Dm755 "target/$target/release/millstream" /out/usr/bin/millstream \
 && install -Dm644 /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ca-certificates.crt \
 && mkdir /state

FROM scratch
COPY --from=builder /out/ /
# A volume mounted here takes over the owner.
COPY --from=builder --chown=65532:65532 /state /var/lib/millstream
COPY ksql /ksql
USER 65532:65532
WORKDIR /var/lib/millstream
# Of `server` and of `run --listeners`; what listens nowhere is run with --no-healthcheck. MILLSTREAM_URL says where, if it is not
# port 8088.
HEALTHCHECK --interval=10s --timeout=10s --start-period=1m CMD ["/usr/bin/millstream", "healthcheck"]
ENTRYPOINT ["/usr/bin/millstream"]
CMD ["--help"]
