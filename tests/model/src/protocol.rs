//! The protocol, and the changes to it that look harmless and are not.

/// Which rules everybody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// What `lambdas/ingest` does.
    Correct,
    /// The collector takes an unreferenced object for an orphan while its attachment is pending, too. But a worker may be
    /// about to publish it.
    CollectorWhilePending,
    /// Publish writes `ready` whatever the document says. A slow worker then overwrites what was decided meanwhile.
    UnconditionalPublish,
    /// The document points at the original before it is there, and whoever dies in between leaves it so.
    PublishBeforeCopy,
    /// The version is deleted once it is copied, before the document says so. Nothing in the inbox then asks for the rest.
    RetireBeforePublish,
    /// Retire names the key and no version, and so hits whatever stands there.
    RetireByKey,
    /// Nobody collects. What a worker wrote before somebody else's decision stays for ever.
    NoCollector,
    /// The collect that a decision enqueues runs at once, while workers still write that asked before it.
    CollectWithoutDelay,
    /// A publish that finds the attachment ready takes it for somebody else's success, although the SDK sent it twice and
    /// it is its own.
    OwnSuccessReadAsLoss,
}
