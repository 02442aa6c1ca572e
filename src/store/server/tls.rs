//! What a server's certificate is held against.

use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;

use crate::error::{Code, Error, Result};

/// Demands a certificate that this system trusts.
pub fn trusted() -> Result<ClientConfig> {
    // The process may have a provider already; another one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientConfig::with_platform_verifier().map_err(|error| {
        Error::new(
            Code::StoreUnavailable,
            "the certificates that this system trusts cannot be read",
        )
        .because(error)
    })
}
