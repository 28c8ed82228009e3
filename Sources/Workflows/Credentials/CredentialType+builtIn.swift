internal import Kernel

extension CredentialType {
    /// The types that come with the program: the generic ones of HTTP, and services with a plain key or token.
    package static let builtIn: [CredentialType] = generic + models + services

    package static func named(_ type: String) -> CredentialType? { byName[type] }

    private static let byName = Dictionary(builtIn.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })

    private static let generic: [CredentialType] = [
        CredentialType(
            "httpBasicAuth", "Basic Auth", fields: [Field("user", "User"), Field("password", "Password", secret: true)],
            applications: [.basic(user: "{user}", password: "{password}")]),
        CredentialType(
            "httpHeaderAuth", "Header Auth", fields: [Field("name", "Header"), Field("value", "Value", secret: true)],
            applications: [.header(name: "{name}", value: "{value}")]),
        CredentialType(
            "httpBearerAuth", "Bearer Auth", fields: [Field("token", "Token", secret: true)],
            applications: [.header(name: "Authorization", value: "Bearer {token}")]),
        CredentialType(
            "httpQueryAuth", "Query Auth", fields: [Field("name", "Parameter"), Field("value", "Value", secret: true)],
            applications: [.query(name: "{name}", value: "{value}")]),
        CredentialType(
            "httpCustomAuth", "Custom Auth", fields: [Field("json", "Headers, query and body as JSON", kind: .json, secret: true)],
            applications: [.custom(field: "json")])
    ]

    private static func key(
        _ type: String, _ title: String, header: String = "Authorization", prefix: String = "", field: String = "apiKey", test: String
    )
        -> CredentialType
    {
        CredentialType(
            type, title, fields: [Field(field, "API key", secret: true)],
            applications: [.header(name: header, value: "\(prefix){\(field)}")], test: Test("GET", test))
    }

    private static let models: [CredentialType] = [
        CredentialType(
            "openAiApi", "OpenAI",
            fields: [
                Field("apiKey", "API key", secret: true), Field("organizationId", "Organization", required: false),
                Field("url", "Base URL", default: "https://api.openai.com/v1")
            ],
            applications: [.header(name: "Authorization", value: "Bearer {apiKey}"), .header(name: "OpenAI-Organization", value: "{organizationId}")],
            test: Test("GET", "{url}/models")),
        key("anthropicApi", "Anthropic", header: "x-api-key", test: "https://api.anthropic.com/v1/models"),
        key("openRouterApi", "OpenRouter", prefix: "Bearer ", test: "https://openrouter.ai/api/v1/key"),
        key("mistralCloudApi", "Mistral", prefix: "Bearer ", test: "https://api.mistral.ai/v1/models"),
        key("groqApi", "Groq", prefix: "Bearer ", test: "https://api.groq.com/openai/v1/models")
    ]

    private static let services: [CredentialType] = [
        key("airtableTokenApi", "Airtable", prefix: "Bearer ", field: "accessToken", test: "https://api.airtable.com/v0/meta/whoami"),
        key("githubApi", "GitHub", prefix: "Bearer ", field: "accessToken", test: "https://api.github.com/user"),
        key("hubspotAppToken", "HubSpot", prefix: "Bearer ", field: "appToken", test: "https://api.hubapi.com/account-info/v3/details"),
        key("notionApi", "Notion", prefix: "Bearer ", test: "https://api.notion.com/v1/users/me"),
        key("sendGridApi", "SendGrid", prefix: "Bearer ", test: "https://api.sendgrid.com/v3/scopes"),
        key("slackApi", "Slack", prefix: "Bearer ", field: "accessToken", test: "https://slack.com/api/users.profile.get"),
        key("stripeApi", "Stripe", prefix: "Bearer ", field: "secretKey", test: "https://api.stripe.com/v1/balance"),
        CredentialType(
            "telegramApi", "Telegram",
            fields: [Field("accessToken", "Bot token", secret: true), Field("baseUrl", "Base URL", default: "https://api.telegram.org")],
            test: Test("GET", "{baseUrl}/bot{accessToken}/getMe")),
        CredentialType(
            "postgres", "PostgreSQL",
            fields: [
                Field("host", "Host"), Field("port", "Port", kind: .number, required: false), Field("database", "Database"), Field("user", "User"),
                Field("password", "Password", secret: true, required: false)
            ]),
        CredentialType(
            "smtp", "SMTP",
            fields: [
                Field("host", "Host"), Field("port", "Port", kind: .number, required: false), Field("user", "User", required: false),
                Field("password", "Password", secret: true, required: false), Field("secure", "TLS", kind: .boolean, required: false)
            ])
    ]
}
