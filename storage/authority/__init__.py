"""A certificate authority for development, and what asks others about certificates: OCSP, CRLs, contract pools.

Behind the seams `CertificateAuthority`, `CertificateDesk` and `ContractPool` of `engine.ports`, so that a real
authority can take its place. What blocks (keys, signatures, files, SQLite) is done in threads by `desk`.
"""
