//! Lets people in to the WebSocket, and out.
