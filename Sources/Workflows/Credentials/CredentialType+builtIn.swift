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
            "httpDigestAuth", "Digest Auth", fields: [Field("user", "User"), Field("password", "Password", secret: true)],
            applications: [.digest(user: "{user}", password: "{password}")]),
        CredentialType(
            "jwtAuth", "JWT Auth",
            fields: [
                Field("keyType", "Key type", default: "passphrase"), Field("secret", "Secret", secret: true, required: false),
                Field("publicKey", "Public key", required: false), Field("privateKey", "Private key", secret: true, required: false),
                Field("algorithm", "Algorithm", default: "HS256")
            ]),
        CredentialType(
            "crypto", "Crypto",
            fields: [
                Field("hmacSecret", "Secret of keyed digests", secret: true, required: false),
                Field("signPrivateKey", "Private key of signatures", secret: true, required: false)
            ]),
        CredentialType(
            "httpHeaderAuth", "Header Auth", fields: [Field("name", "Header"), Field("value", "Value", secret: true)],
            applications: [.header(name: "{name}", value: "{value}")]),
        CredentialType(
            "httpBearerAuth", "Bearer Auth", fields: [Field("token", "Token", secret: true)],
            applications: [.header(name: "Authorization", value: "Bearer {token}")]),
        CredentialType(
            "oAuth2Api", "OAuth2 API, with the client's own credentials",
            fields: [
                Field("grantType", "Grant", default: "clientCredentials"), Field("accessTokenUrl", "Access token URL"),
                Field("clientId", "Client ID"), Field("clientSecret", "Client secret", secret: true), Field("scope", "Scope", required: false),
                Field("authentication", "Client in the header or body", default: "header"),
                Field("additionalBodyProperties", "More of the body as JSON", kind: .json, secret: true, required: false),
                Field("ignoreSSLIssues", "Ignore TLS faults", kind: .boolean, required: false),
                Field("tokenExpiredStatusCode", "Status of an ended token", kind: .number, required: false)
            ], applications: [.accessToken]),
        CredentialType(
            "httpQueryAuth", "Query Auth", fields: [Field("name", "Parameter"), Field("value", "Value", secret: true)],
            applications: [.query(name: "{name}", value: "{value}")]),
        CredentialType(
            "httpCustomAuth", "Custom Auth", fields: [Field("json", "Headers, query and body as JSON", kind: .json, secret: true)],
            applications: [.custom(field: "json")]),
        CredentialType(
            "httpSslAuth", "Client certificate",
            fields: [
                Field("ca", "Authorities of the server", required: false), Field("cert", "Certificate", required: false),
                Field("key", "Private key", secret: true, required: false),
                Field("passphrase", "Passphrase of the key", secret: true, required: false)
            ], applications: [.certificate])
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
        key("groqApi", "Groq", prefix: "Bearer ", test: "https://api.groq.com/openai/v1/models"),
        key("elevenLabsApi", "ElevenLabs", header: "xi-api-key", test: "https://api.elevenlabs.io/v1/models"),
        key("huggingFaceApi", "Hugging Face", prefix: "Bearer ", test: "https://huggingface.co/api/whoami-v2"),
        CredentialType(
            "googlePalmApi", "Google Gemini",
            fields: [Field("apiKey", "API key", secret: true), Field("host", "Base URL", default: "https://generativelanguage.googleapis.com")],
            applications: [.query(name: "key", value: "{apiKey}")], test: Test("GET", "{host}/v1beta/models")),
        CredentialType(
            "qdrantApi", "Qdrant", fields: [Field("apiKey", "API key", secret: true), Field("qdrantUrl", "URL")],
            applications: [.header(name: "api-key", value: "{apiKey}")], test: Test("GET", "{qdrantUrl}/collections"))
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
            "n8nApi", "n8n", fields: [Field("apiKey", "API key", secret: true), Field("baseUrl", "Base URL")],
            applications: [.header(name: "X-N8N-API-KEY", value: "{apiKey}")], test: Test("GET", "{baseUrl}/workflows?limit=1")),
        CredentialType(
            "pipedriveApi", "Pipedrive", fields: [Field("apiToken", "API token", secret: true)],
            applications: [.query(name: "api_token", value: "{apiToken}")], test: Test("GET", "https://api.pipedrive.com/v1/users/me")),
        CredentialType(
            "serpApi", "SerpApi", fields: [Field("apiKey", "API key", secret: true)],
            applications: [.query(name: "api_key", value: "{apiKey}")], test: Test("GET", "https://serpapi.com/account")),
        CredentialType(
            "facebookGraphApi", "Facebook Graph", fields: [Field("accessToken", "Access token", secret: true)],
            applications: [.query(name: "access_token", value: "{accessToken}")], test: Test("GET", "https://graph.facebook.com/v8.0/me")),
        CredentialType(
            "shopifyAccessTokenApi", "Shopify",
            fields: [
                Field("shopSubdomain", "Shop's subdomain"), Field("accessToken", "Access token", secret: true),
                Field("appSecretKey", "App's secret key", secret: true, required: false)
            ],
            applications: [.header(name: "X-Shopify-Access-Token", value: "{accessToken}")],
            test: Test("GET", "https://{shopSubdomain}.myshopify.com/admin/api/2024-07/products.json?limit=1")),
        CredentialType(
            "supabaseApi", "Supabase", fields: [Field("host", "Host"), Field("serviceRole", "Service role's secret", secret: true)],
            applications: [
                .header(name: "apikey", value: "{serviceRole}"), .header(name: "Authorization", value: "Bearer {serviceRole}")
            ], test: Test("GET", "{host}/rest/v1/")),
        CredentialType(
            "telegramApi", "Telegram",
            fields: [Field("accessToken", "Bot token", secret: true), Field("baseUrl", "Base URL", default: "https://api.telegram.org")],
            test: Test("GET", "{baseUrl}/bot{accessToken}/getMe")),
        CredentialType(
            "postgres", "PostgreSQL",
            fields: [
                Field("host", "Host"), Field("port", "Port", kind: .number, required: false), Field("database", "Database"), Field("user", "User"),
                Field("password", "Password", secret: true, required: false), Field("ssl", "TLS: disable, allow or require", required: false),
                Field("allowUnauthorizedCerts", "Ignore TLS faults", kind: .boolean, required: false)
            ]),
        CredentialType(
            "redis", "Redis",
            fields: [
                Field("host", "Host"), Field("port", "Port", kind: .number, required: false), Field("user", "User", required: false),
                Field("password", "Password", secret: true, required: false), Field("database", "Database number", kind: .number, required: false),
                Field("ssl", "TLS", kind: .boolean, required: false),
                Field("disableTlsVerification", "Ignore TLS faults", kind: .boolean, required: false)
            ]),
        CredentialType(
            "aws", "AWS",
            fields: [
                Field("region", "Region", default: "us-east-1"), Field("accessKeyId", "Access key ID"),
                Field("secretAccessKey", "Secret access key", secret: true), Field("sessionToken", "Session token", secret: true, required: false),
                Field("s3Endpoint", "S3 endpoint", required: false)
            ]),
        CredentialType(
            "s3", "S3",
            fields: [
                Field("endpoint", "Endpoint"), Field("region", "Region", default: "us-east-1"), Field("accessKeyId", "Access key ID"),
                Field("secretAccessKey", "Secret access key", secret: true),
                Field("forcePathStyle", "Bucket in the path", kind: .boolean, required: false),
                Field("ignoreSSLIssues", "Ignore TLS faults", kind: .boolean, required: false)
            ]),
        CredentialType(
            "imap", "IMAP",
            fields: [
                Field("host", "Host"), Field("port", "Port", kind: .number, required: false), Field("user", "User"),
                Field("password", "Password", secret: true), Field("secure", "TLS", kind: .boolean, required: false, default: "true"),
                Field("allowUnauthorizedCerts", "Ignore TLS faults", kind: .boolean, required: false)
            ]),
        CredentialType(
            "smtp", "SMTP",
            fields: [
                Field("host", "Host"), Field("port", "Port", kind: .number, required: false), Field("user", "User", required: false),
                Field("password", "Password", secret: true, required: false), Field("secure", "TLS", kind: .boolean, required: false),
                Field("disableStartTls", "Without STARTTLS", kind: .boolean, required: false)
            ])
    ]
}
