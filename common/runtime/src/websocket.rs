//! Where the WebSocket is, for those who connect and for those who post.

use crate::config::Settings;

/// A stage of a WebSocket API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketApi {
    /// The API's id (`WEBSOCKET_API_ID`).
    pub id: String,
    /// The stage's name (`WEBSOCKET_STAGE`).
    pub stage: String,
    /// The host under which AWS serves it (`WEBSOCKET_DOMAIN`).
    pub domain: String,
}

impl WebSocketApi {
    /// Reads the settings.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            id: settings.text("WEBSOCKET_API_ID"),
            stage: settings.text("WEBSOCKET_STAGE"),
            domain: settings.text("WEBSOCKET_DOMAIN"),
        }
    }

    /// Where clients connect. At an endpoint of one's own, such as the local cloud's, there is no DNS for it, only a path.
    pub fn client_url(&self, endpoint: Option<&str>) -> String {
        match endpoint {
            Some(endpoint) => format!("ws{}", self.path_at(endpoint).trim_start_matches("http")),
            None => format!("wss://{}/{}", self.domain, self.stage),
        }
    }

    /// Where the functions post to connections.
    pub fn management_url(&self, endpoint: Option<&str>) -> String {
        match endpoint {
            Some(endpoint) => self.path_at(endpoint),
            None => format!("https://{}/{}", self.domain, self.stage),
        }
    }

    fn path_at(&self, endpoint: &str) -> String {
        format!("{}/_aws/execute-api/{}/{}", endpoint.trim_end_matches('/'), self.id, self.stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_domain_on_aws_and_a_path_at_an_endpoint() {
        let api = WebSocketApi {
            id: "abc".to_owned(),
            stage: "live".to_owned(),
            domain: "abc.execute-api.eu-central-1.amazonaws.com".to_owned(),
        };
        assert_eq!(api.client_url(None), "wss://abc.execute-api.eu-central-1.amazonaws.com/live");
        assert_eq!(api.management_url(None), "https://abc.execute-api.eu-central-1.amazonaws.com/live");
        let local = Some("http://127.0.0.1:4566/");
        assert_eq!(api.client_url(local), "ws://127.0.0.1:4566/_aws/execute-api/abc/live");
        assert_eq!(api.management_url(local), "http://127.0.0.1:4566/_aws/execute-api/abc/live");
        assert_eq!(api.client_url(Some("https://x")), "wss://x/_aws/execute-api/abc/live");
    }
}
